import { open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../../../src/agent/engine/digest.ts';
import { Secret } from '../../../src/agent/engine/secret.ts';
import { copyFile, digestAt } from '../../../src/agent/host/files/large-files.ts';
import { fetchFile } from '../../../src/agent/host/http/fetch-file.ts';
import { Routes } from '../../../src/agent/host/http/http-agents.ts';
import { upload } from '../../../src/agent/host/http/upload.ts';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { temporaryFolder } from './folder.ts';
import { serveHttp } from './servers.ts';

const size = 3_000_000;
/** Bytes that are not text, and that differ everywhere. */
const content = Buffer.from(Uint32Array.from({ length: size / 4 }, (_, at) => at * 2_654_435_761).buffer);
const timeout = 60_000;

async function sourceFile(bytes = content) {
  const root = await temporaryFolder();
  const file = `${root}/from`;
  await writeFile(file, bytes, { mode: 0o600 });
  return { root, file };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Serves HTTP, and answers a request with Expect by `whenAsked`. */
async function serveAsked(whenAsked: (request: IncomingMessage, response: ServerResponse) => void) {
  const { createServer: createHttp } = await import('node:http');
  const server = createHttp((_, response) => void response.writeHead(500).end('without Expect'));
  server.on('checkContinue', whenAsked);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('an upload', () => {
  test('sends every byte of the file with its headers', async () => {
    const { file } = await sourceFile();
    const seen: unknown[] = [];
    const port = await serveHttp(async (request, response) => {
      const body = await bodyOf(request);
      const { authorization, 'content-length': length } = request.headers;
      seen.push([request.method, authorization, length, sha256(body) === sha256(content)]);
      response.writeHead(201).end('stored');
    });
    const headers = { authorization: new Secret('Bearer canary') };
    const answer = await nodeHost().upload({
      url: `http://127.0.0.1:${port}/a`,
      headers,
      file,
      bytes: size,
      timeout,
    });
    expect(answer).toMatchObject({ status: 201, body: 'stored' });
    expect(seen).toEqual([['PUT', 'Bearer canary', `${size}`, true]]);
  });

  test('sends nothing of the file to a server that refuses it', async () => {
    const { file } = await sourceFile();
    let received = 0;
    const port = await serveAsked((request, response) => {
      request.on('data', (chunk) => (received += chunk.length));
      response.writeHead(403, { connection: 'close' }).end('no right');
    });
    const answer = await nodeHost().upload({ url: `http://127.0.0.1:${port}/a`, file, bytes: size, timeout });
    expect([answer.status, answer.body, received]).toEqual([403, 'no right', 0]);
  });

  test('reaches a server that ignores Expect', async () => {
    const { file } = await sourceFile();
    const port = await serveAsked(async (request, response) => {
      const body = await bodyOf(request);
      response.writeHead(200).end(sha256(body));
    });
    const answer = await nodeHost().upload({ url: `http://127.0.0.1:${port}/a`, file, bytes: size, timeout });
    expect(answer.body).toBe(sha256(content));
  });

  test('returns a refusal that arrives in the middle of the body', async () => {
    const { file } = await sourceFile(Buffer.alloc(20_000_000));
    const port = await serveHttp((request, response) => {
      request.once('data', () => response.writeHead(507).end('full'));
    });
    const answer = await nodeHost().upload({
      url: `http://127.0.0.1:${port}/a`,
      file,
      bytes: 20_000_000,
      timeout,
    });
    expect([answer.status, answer.body]).toEqual([507, 'full']);
  });

  test('fails if the file shrinks meanwhile', async () => {
    const { file } = await sourceFile(Buffer.alloc(20_000_000));
    const port = await serveAsked(async (request, response) => {
      await truncate(file, 100);
      response.writeContinue();
      await bodyOf(request).catch(() => undefined);
    });
    const sent = nodeHost().upload({ url: `http://127.0.0.1:${port}/a`, file, bytes: 20_000_000, timeout });
    await expect(sent).rejects.toMatchObject({
      reason: 'FileSystemError',
      message: expect.stringContaining('changed while it was sent'),
    });
  });

  test.each(['silent', 'cut'])('fails if the connection is %s', async (how) => {
    const { file } = await sourceFile();
    const server = createServer((socket) => void (how === 'cut' && socket.destroy())).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a`;
    const tools = { routes: new Routes({}), root: '/', stallAfter: 50 };
    await expect(upload({ url, file, bytes: size, timeout }, tools)).rejects.toMatchObject({
      reason: how === 'cut' ? 'Unreachable' : 'TimedOut',
    });
  });

  test('ends at its time limit, and when its signal is aborted', async () => {
    const { file } = await sourceFile();
    const port = await serveAsked(() => {});
    const request = { url: `http://127.0.0.1:${port}/a`, file, bytes: size, timeout: 50 };
    await expect(nodeHost().upload(request)).rejects.toMatchObject({ reason: 'TimedOut' });
    const stop = new AbortController();
    const sent = nodeHost().upload({ ...request, timeout }, stop.signal);
    stop.abort();
    await expect(sent).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('a fetch of a file', () => {
  async function fetched(listener: RequestListener, limit = size) {
    const { root } = await sourceFile();
    const port = await serveHttp(listener);
    const tools = { routes: new Routes({}), root: '/', stallAfter: 200 };
    const request = { url: `http://127.0.0.1:${port}/a`, file: `${root}/to`, limit, timeout };
    return {
      root,
      file: request.file,
      answer: await fetchFile(request, tools).catch((thrown: unknown) => thrown),
    };
  }

  test('keeps every byte in a private file', async () => {
    const { file, answer } = await fetched((_, response) => void response.end(content));
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect((await readFile(file)).equals(content)).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test.each<[string, RequestListener, string]>([
    [
      'breaks off',
      (_, response) => {
        response.writeHead(200, { 'content-length': size }).write(content.subarray(0, 1_000_000));
        setTimeout(() => response.destroy(), 20);
      },
      'Unreachable',
    ],
    [
      'stops in the middle',
      (_, response) =>
        void response.writeHead(200, { 'content-length': size }).write(content.subarray(0, 999)),
      'TimedOut',
    ],
    [
      'states too large a size',
      (_, response) => void response.writeHead(200, { 'content-length': size + 1 }).flushHeaders(),
      'UnexpectedAnswer',
    ],
    [
      'goes on beyond the limit without a stated size',
      (_, response) => {
        response.write(content);
        response.end('x');
      },
      'UnexpectedAnswer',
    ],
  ])('leaves nothing of an answer that %s', async (_, listener, reason) => {
    const { root, answer } = await fetched(listener);
    expect(answer).toMatchObject({ reason });
    expect(await readdir(root)).toEqual(['from']);
  });
});

test('a copy leaves nothing if it is aborted in the middle, and does not take a half-written name', async () => {
  const { root, file } = await sourceFile();
  const stop = new AbortController();
  const copied = nodeHost().copyFile(file, `${root}/to`, stop.signal);
  stop.abort();
  await expect(copied).rejects.toMatchObject({ name: 'AbortError' });
  expect(await readdir(root)).toEqual(['from']);
});

test('exactly one of several simultaneous copies creates the file', async () => {
  const { root, file } = await sourceFile();
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, () => nodeHost().copyFile(file, `${root}/to`)),
  );
  expect(outcomes.filter((outcome) => outcome === 'copied')).toHaveLength(1);
  expect((await readFile(`${root}/to`)).equals(content)).toBe(true);
  expect(await readdir(root)).toEqual(['from', 'to']);
});

test('a digest of a large file is that of all its bytes', async () => {
  const { file } = await sourceFile();
  await using handle = await open(file, 'a');
  await handle.appendFile('end');
  expect(await nodeHost().digestFile(file)).toEqual({
    bytes: size + 3,
    sha256: sha256(Buffer.concat([content, Buffer.from('end')])),
  });
});

describe('the digest of a file', () => {
  test('ends without progress, and takes as long as it makes progress', async () => {
    const { file } = await sourceFile();
    expect(await digestAt(file, file, 60_000)).toEqual({ bytes: size, sha256: sha256(content) });
    await truncate(file, 2 ** 30);
    await expect(digestAt(file, file, 0)).rejects.toMatchObject({
      reason: 'TimedOut',
      message: expect.stringContaining('made no progress for 0 s'),
    });
  });
});

describe('a copy of a file', () => {
  test('ends without progress, since a call to a file server that hangs never returns', async () => {
    const { root, file } = await sourceFile();
    await truncate(file, 2 ** 28);
    await expect(copyFile(file, `${root}/to`, '/', undefined, 1)).rejects.toMatchObject({
      reason: 'TimedOut',
      message: expect.stringContaining('made no progress for 0.001 s'),
    });
    await expect.poll(() => readdir(root)).toEqual(['from']);
  });

  test('takes as long as it makes progress', async () => {
    const { root, file } = await sourceFile();
    expect(await copyFile(file, `${root}/to`, '/', undefined, 60_000)).toBe('copied');
    expect(await readFile(`${root}/to`)).toEqual(content);
  });
});
