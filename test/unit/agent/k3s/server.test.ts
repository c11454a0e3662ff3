import { createHash, X509Certificate } from 'node:crypto';
import forge from 'node-forge';
import { describe, expect, test } from 'vitest';
import { pinnedCa, serverCa, shareCertificate } from '../../../../src/agent/k3s/server.ts';
import { memoryHost, type ResponseAnswer, unreachable } from '../../../lab/memory-host.ts';
import { failure } from './a-node.ts';
import { aCa } from './certificates.ts';

const server = 'https://10.0.0.4:6443';
const ca = aCa();

describe('caHash', () => {
  test('of one certificate is that of the text', () => {
    expect(pinnedCa(ca).hash).toBe(createHash('sha256').update(ca).digest('hex'));
  });

  test('of a chain is that of its root', () => {
    const [root, intermediate] = aChain();
    expect(pinnedCa(intermediate + root).hash).toBe(
      createHash('sha256').update(new X509Certificate(root).raw).digest('hex'),
    );
  });
});

test('shareCertificate', () => {
  const other = aCa();
  expect(shareCertificate(ca, `\n${ca}\n`)).toBe(true);
  expect(shareCertificate(ca, other + ca)).toBe(true);
  expect(shareCertificate(ca, other)).toBe(false);
  expect(shareCertificate('', other)).toBe(false);
});

describe('serverCa', () => {
  test.each([
    ['answers', 'pong', ca, ca],
    ['is away', unreachable(server), ca, 'ServerUnreachable soon'],
    ['is starting', { status: 503 }, ca, 'ServerNotReady soon'],
    ['is no K3s', 'hello', ca, 'ServerUnreachable soon'],
    ['has no CA yet', 'pong', { status: 503 }, 'ServerNotReady soon'],
    ['has an empty CA', 'pong', '', 'ServerNotReady soon'],
  ] as readonly [string, ResponseAnswer, ResponseAnswer, string][])(
    'a server that %s',
    async (_name, ping, cacerts, expected) => {
      const host = memoryHost().onGet(`${server}/ping`, ping).onGet(`${server}/cacerts`, cacerts);
      await expect(serverCa(host, server).catch(failure)).resolves.toBe(expected);
    },
  );

  test('goes past the proxy', async () => {
    const host = memoryHost();
    for (const path of ['ping', 'cacerts']) {
      host.onGet(`${server}/${path}`, (request) => {
        expect(request).toMatchObject({ direct: true, trust: 'anybody' });
        return path === 'ping' ? 'pong' : ca;
      });
    }
    await serverCa(host, server);
  });
});

/** A self-signed root and a CA it signed, PEM. */
function aChain(): readonly [string, string] {
  const [rootKeys, keys] = [forge.pki.rsa.generateKeyPair(1024), forge.pki.rsa.generateKeyPair(1024)];
  const make = (
    name: string,
    issuer: string,
    publicKey: forge.pki.rsa.PublicKey,
    signer: forge.pki.rsa.PrivateKey,
  ) => {
    const certificate = forge.pki.createCertificate();
    certificate.publicKey = publicKey;
    certificate.serialNumber = '01';
    certificate.validity.notAfter = new Date(Date.UTC(2040, 0, 1));
    certificate.setSubject([{ name: 'commonName', value: name }]);
    certificate.setIssuer([{ name: 'commonName', value: issuer }]);
    certificate.setExtensions([{ name: 'basicConstraints', cA: true }]);
    certificate.sign(signer, forge.md.sha256.create());
    return forge.pki.certificateToPem(certificate);
  };
  return [
    make('root', 'root', rootKeys.publicKey, rootKeys.privateKey),
    make('intermediate', 'root', keys.publicKey, rootKeys.privateKey),
  ];
}
