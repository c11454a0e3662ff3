/** Measures the memory that the upload and the fetch of a large file take, as a backup needs them. */
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, truncate } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Row } from './measure.ts';

const script = join(import.meta.dirname, 'transfer-file.ts');

/** Moves a file of `megabytes` to a server on loopback and back; returns the memory of each direction. */
export async function transfers(megabytes: number): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const file = join(folder, 'file');
  const bytes = megabytes * 1_000_000;
  const server = createServer((request, response) => void serve(request, response, bytes));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
  try {
    await open(file, 'w').then((handle) => handle.close());
    await truncate(file, bytes);
    const rows: Row[] = [];
    for (const how of ['upload', 'fetch']) {
      const { stdout } = await promisify(execFile)(process.execPath, [script, how, url, file, `${bytes}`]);
      rows.push(row(`${how} of ${megabytes} MB, memory`, Number(stdout)));
    }
    return rows;
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  }
}

/** Discards the body of a PUT, and answers a GET with `bytes` zeros, without holding either in memory. */
async function serve(request: IncomingMessage, response: ServerResponse, bytes: number): Promise<void> {
  if (request.method === 'PUT') {
    request.resume().once('end', () => response.end());
    return;
  }
  response.writeHead(200, { 'content-length': bytes });
  await pipeline(Readable.from(zeros(bytes)), response);
}

function* zeros(bytes: number): Iterable<Buffer> {
  const chunk = Buffer.alloc(100_000);
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    yield chunk;
  }
}

function row(measure: string, megabytes: number): Row {
  return {
    measure,
    contender: 'sources on Node',
    unit: 'MB',
    median: megabytes,
    min: megabytes,
    max: megabytes,
    runs: 1,
  };
}
