import type { IncomingMessage } from 'node:http';
import { soonAfter } from '../../engine/backoff.ts';
import { NodeError, type NodeErrorOptions } from '../../engine/errors.ts';
import { followRedirects, type RefusedRedirect, whyRefused } from '../../engine/redirects.ts';
import { forPerson } from '../../engine/severity.ts';
import { unlessAborted } from '../clock/deadline.ts';
import { errnoOf } from '../files/file-errors.ts';
import { addressOf, notAnAddress, open } from './http.ts';
import type { Routes } from './http-agents.ts';
import { shownUrl } from './http-errors.ts';

/** The size limit of a checksum file in bytes. */
const textLimit = 4 * 1024 * 1024;

/** The connections of a transfer, and its limits in time and size. */
export interface TransferTerms {
  readonly routes: Routes;
  /** Milliseconds without a byte after which a transfer counts as broken. */
  readonly stallAfter: number;
  /** The size limit of a file in bytes. */
  readonly sizeLimit: number;
  /** The signal that aborts the transfer; its reason becomes the error. */
  readonly signal: AbortSignal;
}

/**
 * Fetches a text file, following redirects. Throws `DownloadFailed` for a file of more than 4 MiB, and the errors of
 * `transfer` and `succeed`.
 */
export async function fetchText(address: string, terms: TransferTerms): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  await transfer(address, {}, terms, async (response, bytes) => {
    succeed(response, address);
    for await (const chunk of bytes) {
      size += chunk.length;
      if (size > textLimit) {
        throw downloadFailed(address, 'the answer is longer than a checksum file can be');
      }
      chunks.push(chunk);
    }
  });
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Sends a GET request, follows redirects, and returns the result of `take` for the answer. Throws `DownloadFailed` if a
 * redirect is refused, if the transfer breaks off, or if no byte arrives for `stallAfter` milliseconds. Also throws
 * `UnexpectedAnswer` for a redirect to an invalid URL, and the errors of connections.
 */
export async function transfer<Result>(
  address: string,
  headers: Record<string, string>,
  { routes, stallAfter, ...terms }: TransferTerms,
  take: (response: IncomingMessage, bytes: AsyncIterable<Buffer>) => Promise<Result>,
): Promise<Result> {
  const abort = new AbortController();
  const signal = AbortSignal.any([abort.signal, terms.signal]);
  const stalled = setTimeout(
    () => abort.abort(downloadFailed(address, `no byte came for ${stallAfter / 1_000} s`)),
    stallAfter,
  );
  try {
    const response = await unlessAborted(signal, followedTransfer(address, headers, routes, signal));
    return await take(response, watched(response));
  } finally {
    clearTimeout(stalled);
    abort.abort();
  }

  async function* watched(response: IncomingMessage): AsyncIterable<Buffer> {
    try {
      for await (const chunk of response) {
        stalled.refresh();
        yield chunk;
      }
    } catch (thrown) {
      throw signal.aborted ? signal.reason : brokeOff(address, thrown);
    }
  }
}

async function followedTransfer(
  address: string,
  headers: Record<string, string>,
  routes: Routes,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  let last: IncomingMessage | undefined;
  const { url, refused, answer } = await followRedirects(addressOf(address), async (url) => {
    last?.destroy();
    last = await open(url, { method: 'GET', headers }, routes, signal);
    return { status: last.statusCode ?? 0, headers: last.headers, response: last };
  });
  if (refused) {
    throw transferRefused(address, url, refused);
  }
  return answer.response;
}

function transferRefused(address: string, from: URL, refused: RefusedRedirect): NodeError {
  if (refused.because === 'no address') {
    return notAnAddress(`The redirect of ${shownUrl(from)}`);
  }
  const options = refused.because === 'other protocol' ? forPerson : {};
  return downloadFailed(address, `it ${whyRefused(refused)}`, options);
}

/** Throws `DownloadFailed` unless the answer has a file or a part of one (200 or 206). */
export function succeed({ statusCode = 0, headers }: IncomingMessage, address: string): void {
  if (statusCode === 200 || statusCode === 206) {
    return;
  }
  const answer = `the server answers ${statusCode}`;
  const isPassing = statusCode >= 500 || statusCode === 429 || statusCode === 408;
  if (!isPassing) {
    throw downloadFailed(
      address,
      `${answer}. Check the version and the releaseUrl in the settings`,
      forPerson,
    );
  }
  throw downloadFailed(address, answer, { retry: soonAfter({ headers }, Date.now()) });
}

function brokeOff(address: string, thrown: unknown): NodeError {
  const why = `the transfer broke off (${errnoOf(thrown) ?? thrown}); it is resumed`;
  return downloadFailed(address, why, { cause: thrown });
}

/** Returns `DownloadFailed` with the address, but without the parts of the address that may be secret. */
export function downloadFailed(address: string, why: string, options: NodeErrorOptions = {}): NodeError {
  const message = `${shownUrl(new URL(address))} could not be downloaded: ${why}.`;
  return new NodeError('DownloadFailed', message, options);
}
