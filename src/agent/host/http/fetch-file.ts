import { open as openFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { HttpResponse } from '../../engine/host.ts';
import { type HttpFetch, TooManyBytes } from '../../engine/large-files.ts';
import { replaceWith } from '../files/atomic-write.ts';
import { fileError } from '../files/file-errors.ts';
import { takeOver } from '../files/ownership.ts';
import { addressOf, answerOf, flatHeaders, open } from './http.ts';
import { connectionError, shownUrl } from './http-errors.ts';
import type { TransferTools } from './upload.ts';
import { withProgress } from './with-progress.ts';

/** Fetches a file as `LargeFiles.fetchFile` describes. */
export async function fetchFile(
  request: HttpFetch,
  { routes, root, signal: outer, stallAfter = 60_000 }: TransferTools,
): Promise<HttpResponse> {
  const url = addressOf(request.url);
  const { file, limit, timeout } = request;
  return withProgress(url, { timeout, stallAfter }, outer, async (signal, moved) => {
    const response = await open(url, { ...request, method: 'GET' }, routes, signal);
    moved();
    if (response.statusCode !== 200) {
      return answerOf(response, url, signal);
    }
    if (Number(response.headers['content-length'] ?? 0) > limit) {
      throw new TooManyBytes(shownUrl(url), limit);
    }
    const received = bounded(response, url, limit, signal, moved);
    await replaceWith(file, (draft) => fill(draft, received), root).catch((thrown: unknown) => {
      throw fileError(thrown, 'fetch to', file);
    });
    return { status: 200, headers: flatHeaders(response), body: '' };
  });
}

async function fill(draft: string, received: AsyncIterable<Buffer>): Promise<void> {
  await using file = await openFile(draft, 'wx', 0o600);
  await takeOver(file);
  await file.chmod(0o600);
  for await (const chunk of received) {
    await file.appendFile(chunk);
  }
  await file.sync();
}

/** Yields the body of an answer. Throws `TooManyBytes` above the limit, and the errors of connections. */
async function* bounded(
  response: IncomingMessage,
  url: URL,
  limit: number,
  signal: AbortSignal,
  moved: () => void,
): AsyncIterable<Buffer> {
  let bytes = 0;
  try {
    for await (const chunk of response) {
      bytes += chunk.length;
      if (bytes > limit) {
        throw new TooManyBytes(shownUrl(url), limit);
      }
      yield chunk;
      moved();
    }
  } catch (thrown) {
    throw signal.aborted ? signal.reason : connectionError(thrown, url);
  }
}
