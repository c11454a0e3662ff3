import { generateKeyPairSync } from 'node:crypto';
import { basename } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { requestToken } from '../../../src/agent/clouds/oracle/federation.ts';
import { readCertificates } from '../../../src/agent/clouds/oracle/instance-certificates.ts';
import { type SigningKey, signedRequest } from '../../../src/agent/clouds/oracle/signature.ts';
import type { HttpSend } from '../../../src/agent/engine/host.ts';
import { reveal, Secret } from '../../../src/agent/engine/secret.ts';
import { memoryHost } from '../../lab/memory-host.ts';
import { Federation, type InstanceFiles } from '../../lab/oracle/federation.ts';
import { startWorld, type World } from './world.ts';

// The tests of the adapter rely on the emulated Oracle Cloud. Therefore, these tests check that the emulation refuses
// what the real cloud refuses.
const place = { region: 'eu-frankfurt-1', domain: 'oraclecloud.com' };
const service = `https://secrets.vaults.${place.region}.oci.${place.domain}`;
const pair = generateKeyPairSync('rsa', { modulusLength: 1024 });

let world: World;
let key: SigningKey;
/** A valid request for a secret. */
let valid: HttpSend;
beforeAll(async () => {
  world = await startWorld();
  const certificates = await readCertificates(world.host, world.oracle.node('server').url);
  const token = await requestToken({ host: world.host, place }, certificates, pair.publicKey);
  key = { keyId: `ST$${token}`, privateKey: pair.privateKey };
});
beforeEach(() => {
  valid = signedRequest({ method: 'POST', url: getByName(), body: '' }, key, world.host.now());
});
afterAll(() => world.oracle.stop());

function getByName(name = 'k3s-token'): string {
  const query = new URLSearchParams({ secretName: name, vaultId: world.oracle.vault.id });
  return `${service}/20190301/secretbundles/actions/getByName?${query}`;
}

function withHeaders(changes: Readonly<Record<string, string>>): HttpSend {
  return { ...valid, headers: { ...valid.headers, ...changes } };
}

function authorization(change: (text: string) => string): HttpSend {
  return { ...valid, headers: { ...valid.headers, authorization: new Secret(change(authorizationText())) } };
}

function authorizationText(): string {
  return reveal(valid.headers?.authorization ?? '');
}

test('the emulated vault accepts a request that is signed as documented', async () => {
  expect((await world.host.send(valid)).status).toBe(200);
});

describe('the emulated vault', () => {
  test.each<[string, () => HttpSend]>([
    ['a request without a signature', () => withHeaders({ authorization: '' })],
    ['a request whose target was changed after signing', () => ({ ...valid, url: getByName('other') })],
    ['a request whose method was changed after signing', () => ({ ...valid, method: 'PUT' })],
    [
      'a request whose body was changed after signing',
      () => ({ ...withHeaders({ 'content-length': '2' }), body: '{}' }),
    ],
    ['a request whose digest does not match the body', () => withHeaders({ 'x-content-sha256': 'AAAA' })],
    [
      'a request whose content type was changed after signing',
      () => withHeaders({ 'content-type': 'text/plain' }),
    ],
    [
      'a request whose date was changed after signing',
      () => withHeaders({ date: new Date(0).toUTCString() }),
    ],
    ['a signature that leaves out the host', () => authorization((text) => text.replace(' host', ''))],
    [
      'a signature that leaves out the digest',
      () => authorization((text) => text.replace(' x-content-sha256', '')),
    ],
    ['another signature algorithm', () => authorization((text) => text.replace('rsa-sha256', 'hmac-sha256'))],
    ['another signature version', () => authorization((text) => text.replace('version="1"', 'version="2"'))],
    ['a token without its prefix', () => authorization((text) => text.replace('ST$', ''))],
    ['a token that was changed', () => authorization((text) => text.replace(/\.[\w-]{9}/, '.AAAAAAAAA'))],
    [
      'a signature by a key that the token does not name',
      () => {
        const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
        return signedRequest(
          { method: 'POST', url: getByName(), body: '' },
          { ...key, privateKey },
          world.host.now(),
        );
      },
    ],
    [
      'a date that is six minutes old',
      () => signedRequest({ method: 'POST', url: getByName(), body: '' }, key, world.host.now() - 360_000),
    ],
  ])('answers 401 NotAuthenticated to %s', async (_what, request) => {
    const { status, body } = await world.host.send(request());
    expect({ status, body }).toEqual({ status: 401, body: expect.stringContaining('NotAuthenticated') });
  });
});

test('the emulated vault refuses an expired token', async () => {
  world.oracle.federation.tokenLifetime = -1_000;
  const certificates = await readCertificates(world.host, world.oracle.node('server').url);
  const token = await requestToken({ host: world.host, place }, certificates, pair.publicKey);
  const expired = { keyId: `ST$${token}`, privateKey: pair.privateKey };
  const request = signedRequest({ method: 'POST', url: getByName(), body: '' }, expired, world.host.now());
  expect((await world.host.send(request)).status).toBe(401);
});

test('the emulated token service refuses a certificate of another authority', async () => {
  const stranger = new Federation({ tenancy: world.oracle.federation.tenancy, now: Date.now });
  const files = stranger.certify(world.oracle.node('server').vm);
  const metadata = memoryHost().onRequest({ url: /\/identity\// }, ({ url }) => {
    return { body: files[basename(url) as keyof InstanceFiles] };
  });
  const certificates = await readCertificates(metadata, 'http://169.254.169.254');
  await expect(requestToken({ host: world.host, place }, certificates, pair.publicKey)).rejects.toMatchObject(
    {
      reason: 'InstancePrincipalRefused',
    },
  );
});

describe('the emulated metadata service', () => {
  test.each([
    ['a request without its header', {}, 401],
    ['a request with another header', { authorization: 'Bearer oracle' }, 401],
    ['a forwarded request', { authorization: 'Bearer Oracle', 'x-forwarded-for': '10.42.0.9' }, 403],
  ])('refuses %s', async (_what, headers, status) => {
    const url = `${world.oracle.node('server').url}/opc/v2/instance/`;
    expect((await world.host.get({ url, headers, direct: true })).status).toBe(status);
  });

  test('answers 404 to requests for version 1 of its API', async () => {
    const url = `${world.oracle.node('server').url}/opc/v1/instance/`;
    expect((await world.host.get({ url, direct: true })).status).toBe(404);
  });
});
