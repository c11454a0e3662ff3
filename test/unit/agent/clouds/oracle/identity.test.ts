import { createPublicKey } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type InstancePrincipal,
  instancePrincipal,
} from '../../../../../src/agent/clouds/oracle/identity.ts';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { reveal } from '../../../../../src/agent/engine/secret.ts';
import { datedToken } from '../../../../lab/fake-cloud.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { imdsEndpoint, instanceFiles, withIdentity } from './an-instance.ts';

const url = 'https://auth.eu-frankfurt-1.oraclecloud.com/v1/x509';
const minute = 60_000;
const first = instanceFiles();
const second = instanceFiles();

let host: MemoryHost;
let files: typeof first;
/** The bodies of the requests for a token. */
let asked: { readonly certificate: string; readonly publicKey: string }[];
/** Returns the answer to the next request for a token. */
let answer: (count: number) => string | Error;
let principal: InstancePrincipal;

beforeEach(() => {
  files = first;
  asked = [];
  answer = (count) => datedToken(host.now(), 20 * minute, `${count}`);
  host = withIdentity(memoryHost(), () => files).onRequest({ method: 'POST', url }, (request) => {
    asked.push(JSON.parse(reveal(request.body ?? '')));
    const given = answer(asked.length);
    return given instanceof Error ? given : JSON.stringify({ token: given });
  });
  principal = instancePrincipal({
    host,
    imdsEndpoint,
    place: async () => ({ region: 'eu-frankfurt-1', domain: 'oraclecloud.com' }),
  });
});

describe('the key of an instance principal', () => {
  test('has the token as its id, and belongs to the public key in the request', async () => {
    const { keyId, privateKey } = await principal.key();
    expect(keyId).toBe(`ST$${datedToken(host.now(), 20 * minute, '1')}`);
    const own = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    expect(asked.map(({ publicKey }) => publicKey)).toEqual([own.toString('base64')]);
    expect(privateKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
  });

  test("is used until two thirds of its token's lifetime have passed on the monotonic clock", async () => {
    const begun = await principal.key();
    host.advance((20 * minute * 2) / 3 - 1);
    host.setClock(host.now() + 24 * 60 * minute);
    expect(await principal.key()).toBe(begun);
    host.advance(1);
    const later = await principal.key();
    expect(later.keyId).not.toBe(begun.keyId);
    expect(asked).toHaveLength(2);
  });

  test('gets its next token with the certificate of that time', async () => {
    await principal.key();
    files = second;
    host.advance(20 * minute);
    await principal.key();
    const own = [first, second].map((each) => each['cert.pem'].replace(/-----[^-]+-----|\n/g, ''));
    expect(asked.map(({ certificate }) => certificate)).toEqual(own);
  });

  test('is made once for concurrent calls, at first and after the end of its token', async () => {
    const calls = () => Promise.all([principal.key(), principal.key(), principal.key()]);
    expect(new Set(await calls()).size).toBe(1);
    host.advance(20 * minute);
    expect(new Set(await calls()).size).toBe(1);
    expect(asked).toHaveLength(2);
  });

  test('gets a new token after forget', async () => {
    const begun = await principal.key();
    principal.forget();
    expect((await principal.key()).keyId).not.toBe(begun.keyId);
  });

  test('gets a new token if forget is called while an expired one is examined', async () => {
    const begun = await principal.key();
    host.advance(20 * minute);
    const next = principal.key();
    principal.forget();
    expect((await next).keyId).toMatch(/^ST\$/);
    expect((await next).keyId).not.toBe(begun.keyId);
  });

  test('gets a new token for each call if the token has no dates', async () => {
    answer = (count) => `a.b.${count}`;
    const keys = [await principal.key(), await principal.key()];
    expect(keys.map(({ keyId }) => keyId)).toEqual(['ST$a.b.1', 'ST$a.b.2']);
  });

  test('is requested again after a failure, once for concurrent calls', async () => {
    answer = () => new NodeError('Unreachable', 'no route.');
    await expect(principal.key()).rejects.toMatchObject({ reason: 'InstancePrincipalUnavailable' });
    answer = (count) => datedToken(host.now(), 20 * minute, `${count}`);
    const keys = await Promise.all([principal.key(), principal.key()]);
    expect(new Set(keys).size).toBe(1);
    expect(asked).toHaveLength(2);
  });
});
