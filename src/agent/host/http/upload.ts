import type { FileHandle } from 'node:fs/promises';
import type { ClientRequest } from 'node:http';
import { NodeError } from '../../engine/errors.ts';
import type { HttpResponse } from '../../engine/host.ts';
import type { HttpUpload } from '../../engine/large-files.ts';
import { fileError } from '../files/file-errors.ts';
import { openSource } from '../files/large-files.ts';
import { addressOf, answerOf, open } from './http.ts';
import type { Routes } from './http-agents.ts';
import { withProgress } from './with-progress.ts';

/** The connections of a transfer, and its limits if they differ from the defaults. */
export interface TransferTools {
  readonly routes: Routes;
  readonly root: string;
  readonly signal?: AbortSignal | undefined;
  /** The longest time without progress in milliseconds; a minute by default. */
  readonly stallAfter?: number;
}

/** The bytes of a file that are in memory at a time. Small, so that a slow connection still makes progress. */
const chunkSize = 64 * 1024;

/**
 * The time in milliseconds after which the body is sent even if the server has not asked for it, because some servers
 * ignore `Expect` (RFC 9110, section 10.1.1).
 */
const longestExpectation = 1_000;

/**
 * Uploads a file as `LargeFiles.upload` describes. Asks the server first (Expect: 100-continue), so that a refusal
 * arrives before the body is sent.
 */
export async function upload(
  request: HttpUpload,
  { routes, root, signal: outer, stallAfter = 60_000 }: TransferTools,
): Promise<HttpResponse> {
  const url = addressOf(request.url);
  const { file: path, bytes, timeout } = request;
  await using file = await openSource(path, root);
  if ((await file.stat()).size !== bytes) {
    throw changed(path);
  }
  const headers = { ...request.headers, 'content-length': String(bytes), expect: '100-continue' };
  return await withProgress(url, { timeout, stallAfter }, outer, async (signal, moved) => {
    let sent: ClientRequest | undefined;
    const send = (outgoing: ClientRequest) => {
      sent = outgoing;
      sendWhenAsked(outgoing, () => chunks(file, path, bytes, moved));
    };
    const response = await open(url, { ...request, headers, method: 'PUT' }, routes, signal, send);
    moved();
    const answer = await answerOf(response, url, signal);
    // The connection cannot be used again if the server has answered before it got the whole body.
    if (sent?.writableFinished === false) {
      sent.destroy();
    }
    return answer;
  });
}

/** Sends the body once the server asks for it, or after a while; not if the server has answered or is gone. */
function sendWhenAsked(outgoing: ClientRequest, body: () => AsyncIterable<Buffer>): void {
  const begin = () => {
    done();
    // The request reports an error of the file.
    writeAll(outgoing, body()).catch((thrown: Error) => outgoing.destroy(thrown));
  };
  const wait = setTimeout(begin, longestExpectation);
  const done = () => {
    clearTimeout(wait);
    outgoing.off('continue', begin);
  };
  outgoing.once('continue', begin).once('response', done).once('close', done);
}

/** Writes and ends the body, as fast as the connection takes it. Stops if the request has ended. */
async function writeAll(outgoing: ClientRequest, body: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of body) {
    if (outgoing.destroyed) {
      return;
    }
    if (!outgoing.write(chunk)) {
      await new Promise<void>((resolve) => {
        const go = () => {
          outgoing.off('drain', go).off('close', go);
          resolve();
        };
        outgoing.on('drain', go).on('close', go);
      });
    }
  }
  outgoing.end();
}

async function* chunks(
  file: FileHandle,
  path: string,
  bytes: number,
  moved: () => void,
): AsyncIterable<Buffer> {
  let sent = 0;
  while (sent < bytes) {
    const buffer = Buffer.allocUnsafe(Math.min(chunkSize, bytes - sent));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, sent).catch((thrown: unknown) => {
      throw fileError(thrown, 'read', path);
    });
    if (bytesRead === 0) {
      throw changed(path);
    }
    sent += bytesRead;
    yield buffer.subarray(0, bytesRead);
    moved();
  }
}

function changed(path: string): NodeError {
  return new NodeError(
    'FileSystemError',
    `${path} changed while it was sent. It is made and sent again; check what else writes it.`,
  );
}
