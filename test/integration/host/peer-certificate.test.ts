import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { NodeError } from '../../../src/agent/engine/errors.ts';
import { errnoOf } from '../../../src/agent/host/files/file-errors.ts';
import { certificateAt, peerCertificate } from '../../../src/agent/host/http/peer-certificate.ts';
import { certificates } from './certificates.ts';
import { serveHttp, serveHttps, serveSilence, serveTcp } from './servers.ts';

const limits = { accept: 300, answer: 300 };

async function reason(port: number): Promise<unknown> {
  return peerCertificate(`https://127.0.0.1:${port}`, limits.answer, limits.accept).catch(
    ({ reason }) => reason,
  );
}

function serveConnections(each: (socket: Socket) => void): Promise<number> {
  return serveTcp(
    createServer((socket) => {
      socket.on('error', () => {});
      onTestFinished(() => void socket.destroy());
      each(socket);
    }),
  );
}

/** The first bytes of a TLS server's answer. */
const halfAnAnswer = Buffer.from([0x16, 3, 3, 0, 0x7a, 2]);

test.each<readonly [string, (socket: Socket) => void, string]>([
  ['closes each connection at once', (socket) => socket.end(), 'Unreachable'],
  ['resets each connection', (socket) => socket.resetAndDestroy(), 'Unreachable'],
  [
    'holds each connection for a while, and closes it without a byte, as a balancer without a server does',
    (socket) => setTimeout(() => socket.end(), 100),
    'Unreachable',
  ],
  ['holds each connection for too long', (socket) => setTimeout(() => socket.end(), 600), 'TimedOut'],
  [
    'closes the connection in the middle of its answer',
    (socket) => socket.write(halfAnAnswer, () => setTimeout(() => socket.end(), 50)),
    'UnexpectedAnswer',
  ],
  [
    'resets the connection in the middle of its answer',
    (socket) => socket.write(halfAnAnswer, () => setTimeout(() => socket.resetAndDestroy(), 50)),
    'UnexpectedAnswer',
  ],
])('a server that %s has no certificate to read', async (_, each, expected) => {
  expect(await reason(await serveConnections(each))).toBe(expected);
});

test('a server that speaks plain HTTP fails the handshake', async () => {
  expect(await reason(await serveHttp((_, response) => response.end()))).toBe('TlsUntrusted');
});

test('a server that never answers times out', async () => {
  expect(await reason(await serveSilence())).toBe('TimedOut');
});

test('a frozen process, for which the kernel accepts connections, times out until its queue is full', async () => {
  const script = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    require('node:fs').writeSync(1, String(this.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  })`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [printed] = await once(child.stdout, 'data');
  const port = Number(printed);
  expect(await reason(port)).toBe('TimedOut');
  const waiting = [1, 2, 3].map(() => connect(port, '127.0.0.1').on('error', () => {}));
  onTestFinished(() => waiting.forEach((socket) => void socket.destroy()));
  await once(waiting[0] ?? child, 'connect');
  // Nothing accepts this connection: its packets are lost.
  expect(await reason(port)).toBe('Unreachable');
});

describe('of several addresses', () => {
  const [cutting, living, hanging, off] = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'];

  /** Serves one port at these addresses, each in its way; returns the URL. */
  async function serveAll(tls: { cert: string; key: string }): Promise<URL> {
    const port = await serveConnections((socket) => socket.end());
    await serveTcp(createTlsServer(tls), { port, host: living });
    await serveTcp(createServer(hold), { port, host: hanging });
    return new URL(`https://servers.test:${port}`);
  }

  function hold(socket: Socket): void {
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
  }

  const shown = (url: URL, addresses: readonly string[]) =>
    certificateAt(url, addresses, limits, new AbortController().signal);

  test('one that answers shows its certificate, in any order', async () => {
    const tls = certificates('servers.test');
    const url = await serveAll(tls);
    const { fingerprint256 } = new X509Certificate(tls.cert);
    for (const addresses of [
      [cutting, off, living],
      [living, hanging],
    ]) {
      expect(new X509Certificate(await shown(url, addresses)).fingerprint256).toBe(fingerprint256);
    }
  });

  test('one that stays silent counts more than those that accept no connection', async () => {
    const url = await serveAll(certificates('servers.test'));
    for (const addresses of [
      [hanging, off],
      [cutting, hanging],
    ]) {
      await expect(shown(url, addresses)).rejects.toMatchObject({ reason: 'TimedOut' });
    }
  });

  test('all must accept no connection, and the cause has the code of each', async () => {
    const url = await serveAll(certificates('servers.test'));
    const failure = await shown(url, [cutting, off]).catch((thrown) => thrown);
    const codes = failure.cause.errors.map(({ cause }: NodeError) => errnoOf(cause));
    expect([failure.reason, ...codes]).toEqual(['Unreachable', 'ECONNRESET', 'ECONNREFUSED']);
  });
});

test('the certificate of a server is the one for the name in the URL, and no request is sent', async () => {
  const tls = certificates('localhost');
  let requests = 0;
  const port = await serveHttps(() => {
    requests += 1;
  }, tls);
  const shown = new X509Certificate(await peerCertificate(`https://localhost:${port}/path`));
  expect(shown.fingerprint256).toBe(new X509Certificate(tls.cert).fingerprint256);
  expect(requests).toBe(0);
});
