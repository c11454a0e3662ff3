import { generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  signedRequest,
  signingString,
  type Unsigned,
} from '../../../../../src/agent/clouds/oracle/signature.ts';
import { reveal } from '../../../../../src/agent/engine/secret.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
const key = { keyId: 'ST$token', privateKey };
const now = Date.UTC(2026, 10, 30, 1, 2, 3);
const url = 'https://fra.ocir.io/20180419/docker/token?a=b%20c';
const date = 'Mon, 30 Nov 2026 01:02:03 GMT';
const emptyDigest = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

function authorizationOf(request: Unsigned): string {
  return reveal(signedRequest(request, key, now).headers?.authorization ?? '');
}

describe('signedRequest', () => {
  test('signs the date, target and host of a GET', () => {
    const { headers } = signedRequest({ method: 'GET', url }, key, now);
    expect(headers).toMatchObject({ date, host: 'fra.ocir.io' });
    expect(`${headers?.authorization}`).toBe('‹redacted›');
    const [, names, signature = ''] =
      /^Signature version="1",keyId="ST\$token",algorithm="rsa-sha256",headers="([^"]+)",signature="([^"]+)"$/.exec(
        authorizationOf({ method: 'GET', url }),
      ) ?? [];
    expect(names).toBe('(request-target) date host');
    const text = `(request-target): get /20180419/docker/token?a=b%20c\ndate: ${date}\nhost: fra.ocir.io`;
    expect(verify('sha256', Buffer.from(text), publicKey, Buffer.from(signature, 'base64'))).toBe(true);
  });

  test.each([
    ['', '0', emptyDigest],
    ['{"a":"é"}', '10', 's6CSpq9IgH+pSCsu4UAQVXXaom1bJLPA5gp+Le5mg7E='],
  ])('signs the length, type and digest of the body of a POST: %j', (body, length, digest) => {
    const { headers } = signedRequest({ method: 'POST', url, body }, key, now);
    expect(headers).toMatchObject({
      'content-length': length,
      'content-type': 'application/json',
      'x-content-sha256': digest,
    });
    expect(authorizationOf({ method: 'POST', url, body })).toContain(
      'headers="(request-target) date host content-length content-type x-content-sha256"',
    );
  });

  test('includes a port other than 443 in the host', () => {
    const { headers } = signedRequest({ method: 'GET', url: 'https://a.example:8443/' }, key, now);
    expect(headers?.host).toBe('a.example:8443');
  });
});

test('signingString returns a line per header, in order, without a final newline', () => {
  expect(signingString({ date: 'now', '(request-target)': 'get /' })).toBe(
    'date: now\n(request-target): get /',
  );
});
