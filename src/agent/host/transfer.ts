import { open as openFile, readFile, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { NodeError } from '../core/errors.ts';
import { atomicWrite } from './atomic-write.ts';
import { errnoOf } from './file-errors.ts';
import { open } from './http.ts';
import type { Routes } from './http-agents.ts';
import { shownUrl } from './http-errors.ts';

/** Bytes of a checksum file that are read. */
const textLimit = 4 * 1024 * 1024;

/** A small text, redirects followed. */
export async function fetchText(address: string, routes: Routes, stallAfter: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  await transfer(address, {}, routes, stallAfter, async (response, bytes) => {
    succeed(response, address);
    for await (const chunk of bytes) {
      size += chunk.length;
      if (size > textLimit) throw failed(address, 'the answer is longer than a checksum file can be');
      chunks.push(chunk);
    }
  });
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Fetches into `part`, going on from what an earlier attempt left there, where the server still has the same file
 * (Range with If-Range, RFC 9110 section 13.1.5) and knows ranges; else from the start.
 */
export async function fetchPart(
  address: string,
  part: string,
  routes: Routes,
  stallAfter: number,
): Promise<void> {
  const begun = await resumable(address, part);
  const stale = await transfer(address, rangeFrom(begun), routes, stallAfter, async (response, bytes) => {
    const resumed = begun !== undefined && startsAt(response, begun.size);
    if (begun && !resumed && [206, 416].includes(response.statusCode ?? 0)) return true;
    succeed(response, address);
    await using file = await openFile(part, resumed ? 'a' : 'w', 0o600);
    if (!resumed) await atomicWrite(`${part}.json`, JSON.stringify(noteOf(address, response)), 0o600);
    for await (const chunk of bytes) await file.appendFile(chunk);
    return false;
  });
  if (stale) await startOver(address, part, routes, stallAfter);
}

/** The answer is another range, or none: what was begun belongs to another file. */
async function startOver(address: string, part: string, routes: Routes, stallAfter: number): Promise<void> {
  await openFile(part, 'w', 0o600).then((file) => file.close());
  await fetchPart(address, part, routes, stallAfter);
}

/** What is known of a begun transfer: where it comes from and the server's validator for that very content. */
interface Note {
  readonly url: string;
  readonly validator: string | undefined;
}

function noteOf(url: string, { headers }: IncomingMessage): Note {
  const etag = headers.etag?.startsWith('"') ? headers.etag : undefined;
  return { url, validator: etag ?? headers['last-modified'] };
}

async function resumable(url: string, part: string) {
  try {
    const { size } = await stat(part);
    const note: Partial<Note> = JSON.parse(await readFile(`${part}.json`, 'utf8'));
    if (size === 0 || note.url !== url || note.validator === undefined) return undefined;
    return { size, validator: note.validator };
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT' || thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

type Begun = Awaited<ReturnType<typeof resumable>>;

function rangeFrom(begun: Begun): Record<string, string> {
  return begun ? { range: `bytes=${begun.size}-`, 'if-range': begun.validator } : {};
}

function startsAt({ statusCode, headers }: IncomingMessage, offset: number): boolean {
  return statusCode === 206 && (headers['content-range']?.startsWith(`bytes ${offset}-`) ?? false);
}

/** One GET, at most five redirects, as long as bytes keep coming. */
async function transfer<Result>(
  address: string,
  headers: Record<string, string>,
  routes: Routes,
  stallAfter: number,
  take: (response: IncomingMessage, bytes: AsyncIterable<Buffer>) => Promise<Result>,
): Promise<Result> {
  const abort = new AbortController();
  const stalled = setTimeout(
    () => abort.abort(failed(address, `no byte came for ${stallAfter / 1_000} s`)),
    stallAfter,
  );
  try {
    const response = await followed(address, headers, routes, abort.signal);
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
      throw abort.signal.aborted ? abort.signal.reason : brokeOff(address, thrown);
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
  const url = new URL(address);
  const response = await open(url, { method: 'GET', headers }, routes, signal);
  const location = response.headers.location;
  if (![301, 302, 303, 307, 308].includes(response.statusCode ?? 0) || location === undefined)
    return response;
  response.destroy();
  const next = new URL(location, url);
  if (redirects === 0) throw failed(address, 'it redirects more than five times');
  if (url.protocol === 'https:' && next.protocol !== 'https:') {
    throw failed(address, `it redirects from https to ${next.protocol}//${next.host}, which is refused`);
  }
  return followed(next.href, headers, routes, signal, redirects - 1);
}

function succeed({ statusCode = 0, headers }: IncomingMessage, address: string): void {
  if (statusCode === 200 || statusCode === 206) return;
  const answer = `the server answers ${statusCode}`;
  const passing = statusCode >= 500 || statusCode === 429 || statusCode === 408;
  if (!passing)
    throw failed(address, `${answer}. Check the version and the releaseUrl in the settings`, 'slow');
  throw failed(address, answer, 'soon', retryAfter(headers['retry-after']));
}

/** Milliseconds of a Retry-After header in its form of seconds (RFC 9110 section 10.2.3). */
function retryAfter(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : undefined;
}

function brokeOff(address: string, thrown: unknown): NodeError {
  const why = `the transfer broke off (${errnoOf(thrown) ?? thrown}); it is resumed`;
  return failed(address, why, 'soon', undefined, thrown);
}

function failed(
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
