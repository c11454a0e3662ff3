import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha256 } from '../../../../../src/agent/engine/digest.ts';
import { reveal, Secret } from '../../../../../src/agent/engine/secret.ts';
import { signedHeaders } from '../../../../../src/agent/stores/s3/signature-v4.ts';

/** The key and the time of the examples in Amazon's document about the signature. */
const key = {
  id: 'AKIAIOSFODNN7EXAMPLE',
  secret: new Secret('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
  region: 'us-east-1',
};
const now = Date.UTC(2013, 4, 24);

test.each([
  [
    'GET',
    '/test.txt',
    { range: 'bytes=0-9' },
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  ['GET', '/?lifecycle', {}, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
  ['GET', '/?max-keys=2&prefix=J', {}, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
])("signs %s %s as in Amazon's document", (method, target, headers, signature) => {
  const url = `https://examplebucket.s3.amazonaws.com${target}`;
  const signed = signedHeaders({ method, url, headers, sha256: sha256('') }, key, now);
  expect(reveal(signed.authorization ?? '')).toContain(`Signature=${signature}`);
  expect(`${signed.authorization}`).not.toContain(signature);
});

function signatureOf(url: string, headers: Readonly<Record<string, string>> = {}): string | undefined {
  const signed = signedHeaders({ method: 'GET', url, headers, sha256: sha256('') }, key, now);
  return /Signature=([0-9a-f]{64})$/.exec(reveal(signed.authorization ?? ''))?.[1];
}

test('signs a header as a server reads it: without spaces at its ends, and with single ones within', () => {
  const url = 'https://examplebucket.s3.amazonaws.com/test.txt';
  expect(signatureOf(url, { 'x-amz-meta-a': ' one   two ' })).toBe(
    signatureOf(url, { 'x-amz-meta-a': 'one two' }),
  );
  expect(signatureOf(url, { 'x-amz-meta-a': 'one two' })).not.toBe(
    signatureOf(url, { 'x-amz-meta-a': 'onetwo' }),
  );
});

test("encodes the characters that RFC 3986 reserves and a URL's query does not, in upper case", () => {
  const canonical = [
    'GET',
    '/',
    'prefix=%21%27%28%29%2A',
    'host:examplebucket.s3.amazonaws.com',
    `x-amz-content-sha256:${sha256('')}`,
    'x-amz-date:20130524T000000Z',
    '',
    'host;x-amz-content-sha256;x-amz-date',
    sha256(''),
  ].join('\n');
  const scope = '20130524/us-east-1/s3/aws4_request';
  const toSign = ['AWS4-HMAC-SHA256', '20130524T000000Z', scope, sha256(canonical)].join('\n');
  const hmac = (secret: Buffer, text: string) => createHmac('sha256', secret).update(text).digest();
  const signing = scope.split('/').reduce(hmac, Buffer.from(`AWS4${key.secret.reveal()}`));
  expect(signatureOf("https://examplebucket.s3.amazonaws.com/?prefix=!'()*")).toBe(
    hmac(signing, toSign).toString('hex'),
  );
});
