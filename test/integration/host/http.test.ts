import { writeFile } from 'node:fs/promises';
import { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/agent/engine/secret.ts';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { createAuthority } from '../../lab/azure/tls.ts';
import { certificates } from './certificates.ts';
import { temporaryFolder } from './folder.ts';
import { serveHttp, serveHttps, serveProxy, serveSilence } from './servers.ts';

const foreignCa = createAuthority().certificate;

const tls = certificates('127.0.0.1', 'vault.test');

describe('a timeout', () => {
  test('is reported as TimedOut for a server that never answers', async () => {
    const port = await serveSilence();
    await expect(
      nodeHost().get({ url: `http://127.0.0.1:${port}/x?q=1`, timeout: 100 }),
    ).rejects.toMatchObject({
      reason: 'TimedOut',
      message: expect.stringContaining(`http://127.0.0.1:${port}/x did not answer within 0.1 s`),
    });
  });

  test('is reported as TimedOut for a body that never ends', async () => {
    const port = await serveHttp((_request, response) => void response.write('begun'));
    await expect(nodeHost().get({ url: `http://127.0.0.1:${port}/`, timeout: 100 })).rejects.toMatchObject({
      reason: 'TimedOut',
    });
  });

  test.each(['http', 'https'])(
    'is reported as TimedOut for a proxy that never answers: %s',
    async (scheme) => {
      const host = nodeHost({ proxy: `http://127.0.0.1:${await serveSilence()}` });
      await expect(host.get({ url: `${scheme}://vault.test/`, timeout: 100 })).rejects.toMatchObject({
        reason: 'TimedOut',
      });
    },
  );
});

describe('a failed request', () => {
  test('is reported as Unreachable with the errno, but without the login and query of the URL, if the connection is refused', async () => {
    await expect(nodeHost().get({ url: 'http://user:pw@127.0.0.1:1/path?secret=1' })).rejects.toMatchObject({
      reason: 'Unreachable',
      message: expect.stringMatching(/^Cannot reach http:\/\/127\.0\.0\.1:1\/path: ECONNREFUSED/),
      cause: { code: 'ECONNREFUSED' },
    });
  });

  test('is reported with the cause ENOTFOUND or EAI_AGAIN if the name does not resolve', async () => {
    await expect(nodeHost().get({ url: 'http://no-such-name.invalid/' })).rejects.toMatchObject({
      reason: 'Unreachable',
      cause: { code: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) },
    });
  });

  test('is reported as Unreachable if the connection is cut', async () => {
    const port = await serveHttp((request) => void request.socket.destroy());
    await expect(nodeHost().get({ url: `http://127.0.0.1:${port}/` })).rejects.toMatchObject({
      reason: 'Unreachable',
    });
  });

  test('is reported as UnexpectedAnswer if the body is too long', async () => {
    const port = await serveHttp((_request, response) => void response.end(Buffer.alloc(5 * 1024 * 1024)));
    await expect(nodeHost().get({ url: `http://127.0.0.1:${port}/` })).rejects.toMatchObject({
      reason: 'UnexpectedAnswer',
    });
  });
});

test('a request sends secrets in headers, and accepts no compression', async () => {
  const port = await serveHttp((request, response) => response.end(JSON.stringify(request.headers)));
  const { body } = await nodeHost().get({
    url: `http://127.0.0.1:${port}/`,
    headers: { Authorization: new Secret('Bearer x'), 'Accept-Encoding': 'gzip' },
  });
  expect(JSON.parse(body)).toMatchObject({ authorization: 'Bearer x', 'accept-encoding': 'identity' });
});

test('requests to one server share a connection', async () => {
  const ports = new Set<number | undefined>();
  const port = await serveHttp((request, response) => {
    ports.add(request.socket.remotePort);
    response.end();
  });
  const host = nodeHost();
  for (let i = 0; i < 3; i += 1) {
    await host.get({ url: `http://127.0.0.1:${port}/` });
  }
  expect(ports.size).toBe(1);
});

describe('trust in a server', () => {
  test('is refused if an unknown CA issued its certificate, and the error is TlsUntrusted', async () => {
    const port = await serveHttps((_request, response) => void response.end('ok'), tls);
    await expect(nodeHost().get({ url: `https://127.0.0.1:${port}/` })).rejects.toMatchObject({
      reason: 'TlsUntrusted',
      endedBy: 'person',
      message: expect.stringContaining('network.caFile'),
    });
  });

  test.each([
    { how: 'the CA of the server', trust: { ca: tls.ca } },
    { how: 'any certificate', trust: 'anybody' as const },
  ])('is given if the request trusts $how', async ({ trust }) => {
    const port = await serveHttps((_request, response) => void response.end('ok'), tls);
    expect((await nodeHost().get({ url: `https://127.0.0.1:${port}/`, trust })).body).toBe('ok');
  });

  test.each([
    { from: 'the CA of the server', first: { ca: tls.ca }, to: 'the system', second: 'system' as const },
    { from: 'any certificate', first: 'anybody' as const, to: 'the system', second: 'system' as const },
    { from: 'any certificate', first: 'anybody' as const, to: 'another CA', second: { ca: foreignCa } },
    { from: 'any name', first: { ca: tls.ca, anyName: true }, to: 'another CA', second: { ca: foreignCa } },
  ])(
    'is not carried over from a request that trusts $from to one that trusts $to',
    async ({ first, second }) => {
      const port = await serveHttps((_request, response) => void response.end('ok'), tls);
      const host = nodeHost();
      const url = `https://127.0.0.1:${port}/`;
      await host.get({ url, trust: first });
      await expect(host.get({ url, trust: second })).rejects.toMatchObject({ reason: 'TlsUntrusted' });
    },
  );

  test.each(['anybody' as const, { ca: tls.ca }])(
    'resumes the TLS session of an earlier connection with the same trust (case %#)',
    async (trust) => {
      const resumed: boolean[] = [];
      const port = await serveHttps((request, response) => {
        resumed.push(request.socket instanceof TLSSocket && request.socket.isSessionReused());
        response.setHeader('connection', 'close').end('ok');
      }, tls);
      const host = nodeHost();
      for (let i = 0; i < 3; i += 1) {
        await host.get({ url: `https://127.0.0.1:${port}/`, trust });
      }
      expect(resumed).toEqual([false, true, true]);
    },
  );

  test('covers only the names in the certificate', async () => {
    const port = await serveHttps((_request, response) => void response.end('ok'), tls);
    const request = { url: `https://localhost:${port}/`, trust: { ca: tls.ca } };
    await expect(nodeHost().get(request)).rejects.toMatchObject({ reason: 'TlsUntrusted' });
  });

  test('covers other names only with the option anyName, and only for the given CA', async () => {
    const port = await serveHttps((_request, response) => void response.end('ok'), tls);
    const url = `https://localhost:${port}/`;
    const host = nodeHost();
    const untrusted = { reason: 'TlsUntrusted' };
    expect((await host.get({ url, trust: { ca: tls.ca, anyName: true } })).body).toBe('ok');
    await expect(host.get({ url, trust: { ca: foreignCa, anyName: true } })).rejects.toMatchObject(untrusted);
    await expect(host.get({ url, trust: { ca: tls.ca } })).rejects.toMatchObject(untrusted);
  });

  test('is given by network.caFile once the file exists', async () => {
    const port = await serveHttps((_request, response) => void response.end('ok'), tls);
    const caFile = `${await temporaryFolder()}/ca.pem`;
    const host = nodeHost({ caFile });
    const request = { url: `https://127.0.0.1:${port}/` };
    await expect(host.get(request)).rejects.toMatchObject({
      reason: 'FileSystemError',
      message: expect.stringContaining('network.caFile'),
    });
    await writeFile(caFile, tls.ca);
    expect((await host.get(request)).body).toBe('ok');
  });
});

describe('the proxy', () => {
  test("tunnels https requests, and the server's certificate is still verified", async () => {
    const port = await serveHttps((_request, response) => void response.end('vault'), tls);
    const proxy = await serveProxy(port);
    const caFile = `${await temporaryFolder()}/ca.pem`;
    await writeFile(caFile, tls.ca);
    const host = nodeHost({ proxy: proxy.url, caFile });
    expect((await host.get({ url: 'https://vault.test/secrets' })).body).toBe('vault');
    expect(proxy.asked).toEqual(['CONNECT vault.test:443']);
    await expect(host.get({ url: 'https://other.test/' })).rejects.toMatchObject({ reason: 'TlsUntrusted' });
  });

  test('receives http requests without a tunnel', async () => {
    const proxy = await serveProxy(0);
    const { body } = await nodeHost({ proxy: proxy.url }).get({ url: 'http://mirror.test/k3s?x=1' });
    expect([body, proxy.asked]).toEqual(['by proxy', ['GET http://mirror.test/k3s?x=1']]);
  });

  test('is named in the error, with its status, if it refuses a tunnel', async () => {
    const proxy = await serveProxy(0, 403);
    await expect(nodeHost({ proxy: proxy.url }).get({ url: 'https://vault.test/' })).rejects.toMatchObject({
      reason: 'Unreachable',
      message: expect.stringMatching(/proxy refuses .* vault\.test: it answered 403/),
    });
  });

  test('is bypassed by direct requests and by requests to 127.0.0.1 and to hosts in network.noProxy', async () => {
    const port = await serveHttp((_request, response) => void response.end('direct'));
    const proxy = await serveProxy(port);
    const host = nodeHost({ proxy: proxy.url });
    expect((await host.get({ url: `http://127.0.0.1:${port}/` })).body).toBe('direct');
    expect((await host.get({ url: `http://127.0.0.2:${port}/` })).body).toBe('by proxy');
    const ranged = nodeHost({ proxy: proxy.url, noProxy: ['127.0.0.0/8'] });
    for (const request of [
      ranged.get({ url: `http://127.0.0.2:${port}/` }),
      host.get({ url: `http://127.0.0.2:${port}/`, direct: true }),
    ]) {
      await expect(request).rejects.toMatchObject({ reason: 'Unreachable' });
    }
    expect(proxy.asked).toHaveLength(1);
  });
});
