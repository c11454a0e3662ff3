/** Tests that a request presents its client certificate, over real TLS. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../../src/agent/engine/secret.ts';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { issue, makeAuthority } from '../../lab/standins/k3s-certificates.ts';

const clients = makeAuthority('k3s-client-ca');
const servers = makeAuthority('k3s-server-ca');

/**
 * Runs a server that answers with the common name in the client's certificate if it trusts the certificate. Resolves to
 * its URL and a function that counts its connections.
 */
async function serve(authority = servers) {
  const own = issue(authority, { commonName: 'k3s', hosts: ['127.0.0.1'] });
  let connections = 0;
  const options = {
    cert: own.certificate,
    key: own.key,
    ca: clients.certificate,
    requestCert: true,
    rejectUnauthorized: false,
  };
  const server = createServer(options, ({ socket }, response) => {
    const tls = socket as TLSSocket;
    response.end(tls.authorized ? tls.getPeerCertificate().subject.CN : 'nobody');
  });
  server.on('secureConnection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `https://127.0.0.1:${port}/`, connections: () => connections };
}

function trustAs(commonName: string) {
  const { certificate, key } = issue(clients, { commonName });
  return { ca: servers.certificate, identity: { certificate, key: new Secret(key) } };
}

test('a request with a client certificate presents it, and reuses its connection', async () => {
  const { url, connections } = await serve();
  const host = nodeHost();
  const trust = trustAs('system:admin');
  for (let i = 0; i < 3; i += 1) {
    expect((await host.get({ url, trust })).body).toBe('system:admin');
  }
  expect(connections()).toBe(1);
});

test('two client certificates never share a connection, and a request without a certificate presents none', async () => {
  const { url } = await serve();
  const host = nodeHost();
  const [admin, kubelet] = [trustAs('system:admin'), trustAs('system:node:vm-1')];
  const asked = [admin, kubelet, { ca: servers.certificate }, admin].map(
    async (trust) => (await host.get({ url, trust })).body,
  );
  expect(await Promise.all(asked)).toEqual(['system:admin', 'system:node:vm-1', 'nobody', 'system:admin']);
});

test('a renewed client certificate with the same name gets a connection of its own', async () => {
  const { url, connections } = await serve();
  const host = nodeHost();
  for (let renewal = 0; renewal < 6; renewal += 1) {
    expect((await host.get({ url, trust: trustAs('system:admin') })).body).toBe('system:admin');
  }
  expect(connections()).toBe(6);
});

test('a request with a client certificate bypasses the proxy', async () => {
  const { url } = await serve();
  const host = nodeHost({ proxy: 'http://127.0.0.1:9' });
  expect((await host.get({ url, trust: trustAs('system:admin') })).body).toBe('system:admin');
});

test('a server with a certificate of another CA is reported as TlsUntrusted', async () => {
  const { url } = await serve(makeAuthority('another-ca'));
  await expect(nodeHost().get({ url, trust: trustAs('system:admin') })).rejects.toMatchObject({
    reason: 'TlsUntrusted',
  });
});
