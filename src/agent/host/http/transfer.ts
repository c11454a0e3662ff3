import type { IncomingMessage } from 'node:http';
import { NodeError } from '../../engine/errors.ts';
import { unlessAborted } from '../clock/within.ts';
import { errnoOf } from '../files/file-errors.ts';
import { addressOf, open } from './http.ts';
import type { Routes } from './http-agents.ts';
import { shownUrl } from './http-errors.ts';

/** Bytes of a checksum file that are read. */
const textLimit = 4 * 1024 * 1024;
/** Milliseconds a server can ask to be left alone: its word is not to be trusted with more. */
const longestPause = 10 * 60_000;

/** How to connect, and how long and large a transfer may become. */
export interface TransferTerms {
  readonly routes: Routes;
  /** Milliseconds without a byte after which a transfer counts as broken. */
  readonly stallAfter: number;
  /** Bytes a file may have. */
  readonly sizeLimit: number;
  /** Ends the transfer, with its reason as the error. */
  readonly signal: AbortSignal;
}

/** A small text, redirects followed. */
export async function fetchText(address: string, terms: TransferTerms): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  await transfer(address, {}, terms, async (response, bytes) => {
    succeed(response, address);
    for await (const chunk of bytes) {
      size += chunk.length;
      if (size > textLimit) throw downloadFailed(address, 'the answer is longer than a checksum file can be');
      chunks.push(chunk);
    }
  });
  return Buffer.concat(chunks).toString('utf8');
}

/** One GET, at most five redirects, as long as bytes keep coming and its terms let it. */
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
    const response = await unlessAborted(signal, followed(address, headers, routes, signal));
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

async function followed(
  address: string,
  headers: Record<string, string>,
  routes: Routes,
  signal: AbortSignal,
  redirects = 5,
): Promise<IncomingMessage> {
  const url = addressOf(address);
  const response = await open(url, { method: 'GET', headers }, routes, signal);
  const location = response.headers.location;
  if (![301, 302, 303, 307, 308].includes(response.statusCode ?? 0) || location === undefined)
    return response;
  response.destroy();
  const next = addressOf(location, url);
  if (redirects === 0) throw downloadFailed(address, 'it redirects more than five times');
  if (!['http:', 'https:'].includes(next.protocol))
    throw downloadFailed(address, `it redirects to ${next.protocol}, which is not http or https`, 'slow');
  if (url.protocol === 'https:' && next.protocol !== 'https:') {
    throw downloadFailed(
      address,
      `it redirects from https to ${next.protocol}//${next.host}, which is refused`,
    );
  }
  return followed(next.href, headers, routes, signal, redirects - 1);
}

/** Throws `DownloadFailed` for every answer but a file or a part of one. */
export function succeed({ statusCode = 0, headers }: IncomingMessage, address: string): void {
  if (statusCode === 200 || statusCode === 206) return;
  const answer = `the server answers ${statusCode}`;
  const passing = statusCode >= 500 || statusCode === 429 || statusCode === 408;
  if (!passing)
    throw downloadFailed(address, `${answer}. Check the version and the releaseUrl in the settings`, 'slow');
  throw downloadFailed(address, answer, 'soon', retryAfter(headers['retry-after']));
}

/** Milliseconds of a Retry-After header in its form of seconds (RFC 9110 section 10.2.3), within reason. */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d+$/.test(value.trim())) return undefined;
  return Math.min(Number(value) * 1_000, longestPause);
}

function brokeOff(address: string, thrown: unknown): NodeError {
  const why = `the transfer broke off (${errnoOf(thrown) ?? thrown}); it is resumed`;
  return downloadFailed(address, why, 'soon', undefined, thrown);
}

/** `DownloadFailed` from an address, shown without what may be secret in it. */
export function downloadFailed(
  address: string,
  why: string,
  pace: 'soon' | 'slow' = 'soon',
  after?: number,
  cause?: unknown,
): NodeError {
  return new NodeError('DownloadFailed', `${shownUrl(new URL(address))} could not be downloaded: ${why}.`, {
    retry: { pace, ...(after !== undefined && { after }) },
    cause,
  });
}
