import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { certificates, isSuccessor, pinnedCa } from '../../../../../../src/agent/parts/k3s/membership/ca.ts';
import {
  type Certificate,
  crossSign,
  issue,
  makeAuthority,
  makeIntermediate,
} from '../../../../../lab/standins/k3s-certificates.ts';

const authority = (name: string): Certificate => makeAuthority(`${name}@1700000000`);
const [old, renewed, foreign] = [authority('old'), authority('renewed'), authority('foreign')];
const intermediate = makeIntermediate(old, 'intermediate');
const below = makeIntermediate(intermediate, 'below');

/**
 * Returns a certificate in OpenSSL's format for certificates with trusted uses, which Node's X509Certificate cannot
 * read.
 */
const trustedForm = (pem: string) => pem.replaceAll(' CERTIFICATE', ' TRUSTED CERTIFICATE');

/** The certificate of a node, which is not a CA. */
const node = issue(old, { commonName: 'node', hosts: ['vm-1'] });
const belowNode = makeIntermediate(node, 'below-node').certificate;

/** A root whose authority key identifier names its own key. */
const itself = crossSign(renewed, renewed);

/** The key of the old root with the certificate of another root. */
const other = { certificate: renewed.certificate, key: old.key };
const renamed = crossSign(other, other);

const textHash = (pem: string) => createHash('sha256').update(pem).digest('hex');
const derHash = (pem: string) => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');

/** The expected hashes are those that hashCA in pkg/clientaccess/token.go computes. */
describe('pinnedCa', () => {
  test.each([
    ['one certificate, by its text', old.certificate, textHash(old.certificate)],
    ['a chain, by its root', intermediate.certificate + old.certificate, derHash(old.certificate)],
    [
      'a longer chain, out of order, by its root',
      below.certificate + old.certificate + foreign.certificate + intermediate.certificate,
      derHash(old.certificate),
    ],
    [
      'a root that comes first, by the text of the bundle',
      old.certificate + foreign.certificate,
      textHash(old.certificate + foreign.certificate),
    ],
    [
      'a root that comes first and is repeated, by that root',
      old.certificate + old.certificate,
      derHash(old.certificate),
    ],
    [
      'a root that comes first and is repeated before others, by that root',
      old.certificate + old.certificate + foreign.certificate,
      derHash(old.certificate),
    ],
    [
      'a chain to a root that names itself as its authority, by that root',
      makeIntermediate(renewed, 'first').certificate + itself,
      derHash(itself),
    ],
    [
      'a chain signed by a certificate that is not a CA, by its text',
      belowNode + node.certificate + old.certificate,
      textHash(belowNode + node.certificate + old.certificate),
    ],
    [
      'a chain signed by the key of a root under another name, by its text',
      intermediate.certificate + renamed,
      textHash(intermediate.certificate + renamed),
    ],
    [
      'a bundle without its root, by its text',
      below.certificate + intermediate.certificate,
      textHash(below.certificate + intermediate.certificate),
    ],
  ])('pins %s', (_name, pem, hash) => {
    expect(pinnedCa(pem).hash).toBe(hash);
  });

  test('trusts only the chain, not a foreign CA beside it', () => {
    const { trusted } = pinnedCa(intermediate.certificate + old.certificate + foreign.certificate);
    expect(trusted.match(/BEGIN/g)).toHaveLength(2);
    expect(trusted).not.toContain(foreign.certificate.trim());
  });

  test('pins the text of a bundle whose CAs signed each other, without trying every order', () => {
    const pairs = Array.from({ length: 20 }, () => crossSign(renewed, foreign) + crossSign(foreign, renewed));
    const bundle = makeIntermediate(renewed, 'first').certificate + pairs.join('');
    expect(pinnedCa(bundle).hash).toBe(textHash(bundle));
  });
});

test('certificates returns at most 64 certificates of a bundle', () => {
  expect(certificates(old.certificate.repeat(65))).toHaveLength(64);
});

test('certificates parses each certificate of a bundle only once', () => {
  const bundle = Array.from({ length: 9 }, (_, at) => makeIntermediate(old, `${at}`).certificate).join('');
  const [first, second] = [certificates(bundle), certificates(bundle)];
  expect(first.map((certificate, at) => certificate === second[at])).toEqual(Array(9).fill(true));
});

describe('isSuccessor', () => {
  const known = old.certificate;

  test.each([
    ['the known CA', known, true],
    ['the known CA with other white space', `\n${known}\n`, true],
    ['a CA that the known one signed', intermediate.certificate, true],
    ['a new root that the known one cross-signed', renewed.certificate + crossSign(renewed, old), true],
    [
      'a chain to a cross-signed root, with the old root',
      makeIntermediate(renewed, 'new').certificate + renewed.certificate + crossSign(renewed, old) + known,
      true,
    ],
    [
      'a CA whose key both the known CA and a foreign one certified',
      crossSign(intermediate, foreign) + intermediate.certificate,
      true,
    ],
    [
      'another key under the name of a CA that the known one signed',
      makeIntermediate(foreign, 'intermediate').certificate + intermediate.certificate,
      false,
    ],
    [
      'the key of a CA that the known one signed under another name',
      crossSign({ ...intermediate, certificate: renewed.certificate }, foreign) + intermediate.certificate,
      false,
    ],
    ['a foreign CA', foreign.certificate, false],
    ['a foreign CA beside the known certificate', foreign.certificate + known, false],
    ['the known certificate beside a foreign CA', known + foreign.certificate, false],
    ['the known certificate twice beside a foreign CA', known + known + foreign.certificate, false],
    [
      'a foreign root that certified an intermediate of the cluster',
      intermediate.certificate + crossSign(intermediate, foreign) + foreign.certificate,
      false,
    ],
    [
      'a certificate of a node, which is not a CA',
      issue(old, { commonName: 'node', hosts: ['vm-1'] }).certificate,
      false,
    ],
    ['empty text', '', false],
  ])('returns $2 for $0', (_name, shown, expected) => {
    expect(isSuccessor(shown, known)).toBe(expected);
  });

  test('accepts only a chain to the same root as the successor of a known chain', () => {
    const chain = intermediate.certificate + known;
    expect(isSuccessor(makeIntermediate(old, 'second').certificate + known, chain)).toBe(true);
    expect(isSuccessor(foreign.certificate, chain)).toBe(false);
  });

  test('rejects a known chain with a foreign CA beside it, which K3s would trust too', () => {
    const chain = intermediate.certificate + known;
    const trusted = trustedForm(foreign.certificate);
    expect(isSuccessor(chain + foreign.certificate, chain)).toBe(false);
    expect(isSuccessor(chain + trusted, chain)).toBe(false);
    expect(isSuccessor(`${chain}\n`, chain)).toBe(true);
    expect(isSuccessor(known + chain + foreign.certificate, chain + foreign.certificate)).toBe(true);
  });

  test('accepts a new intermediate of a known chain only with a chain to the known root', () => {
    const chain = below.certificate + intermediate.certificate + known;
    const signed = makeIntermediate(intermediate, 'second').certificate;
    expect(isSuccessor(signed, chain)).toBe(false);
    expect(isSuccessor(signed + intermediate.certificate, chain)).toBe(true);
  });

  test('accepts a CA that one of several known roots signed', () => {
    expect(isSuccessor(intermediate.certificate, foreign.certificate + known)).toBe(true);
  });

  test('accepts the same text even if it contains a damaged certificate', () => {
    const text = `${known}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`;
    expect(isSuccessor(text, text)).toBe(true);
  });

  test.each([
    ['a block that is not a certificate', 'AAAA', ''],
    ['a foreign CA after more blocks than Slipway reads', 'AAAA', foreign.certificate],
    ['a foreign CA in a block that Node.js does not read', 'AAAA', trustedForm(foreign.certificate)],
  ])('rejects the known CA with %s', (_, junk, more) => {
    const blocks = `-----BEGIN CERTIFICATE-----\n${junk}\n-----END CERTIFICATE-----\n`.repeat(63);
    expect(isSuccessor(known + blocks + more, known)).toBe(false);
    expect(isSuccessor(known + more, known)).toBe(more === '');
  });

  test('rejects every CA if none is known', () => {
    expect(isSuccessor(known, '')).toBe(false);
    expect(isSuccessor('', '')).toBe(false);
  });
});
