import { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { peerCertificate } from '../../../src/agent/host/http/peer-certificate.ts';
import { certificates } from './certificates.ts';
import { serveHttp, serveHttps, serveSilence } from './servers.ts';

async function reason(port: number): Promise<unknown> {
  return peerCertificate(`https://127.0.0.1:${port}`, 200).catch(({ reason }) => reason);
}

test('a server that closes each connection at once has no certificate to read', async () => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  expect(await reason(port)).toBe('Unreachable');
});

test('a server that speaks plain HTTP fails the handshake', async () => {
  expect(await reason(await serveHttp((_, response) => response.end()))).toBe('TlsUntrusted');
});

test('a server that never answers times out', async () => {
  expect(await reason(await serveSilence())).toBe('TimedOut');
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
