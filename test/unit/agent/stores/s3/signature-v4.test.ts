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
