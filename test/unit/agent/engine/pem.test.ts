import { expect, test } from 'vitest';
import { pemCertificates } from '../../../../src/agent/engine/pem.ts';

const block = (label: string, content = '\nMII=\n', end = label) =>
  `-----BEGIN ${label}-----${content}-----END ${end}-----`;
const plain = block('CERTIFICATE');
const trusted = block('TRUSTED CERTIFICATE');
const old = block('X509 CERTIFICATE');

test('pemCertificates splits a bundle, and skips the text around its certificates', () => {
  const bundle = `# the CA\n${plain}\r\n${trusted}\n${block('PRIVATE KEY')}\n${old}\n${plain}`;
  expect(pemCertificates(bundle)).toEqual([plain, plain]);
  expect(pemCertificates(bundle, ['TRUSTED CERTIFICATE', 'X509 CERTIFICATE'])).toEqual([trusted, old]);
});

test.each([
  ['empty text', ''],
  ['a certificate without an END line', plain.slice(0, -1)],
  ['a certificate that contains another BEGIN line', block('CERTIFICATE', '\n-----BEGIN X-----\n')],
  ['a block with another label', block('CERTIFICATE REQUEST')],
])('pemCertificates finds no certificate in %s', (_, text) => {
  expect(pemCertificates(text)).toEqual([]);
});

test('pemCertificates finds the certificate after a truncated one', () => {
  expect(pemCertificates(`-----BEGIN CERTIFICATE-----\nMII\n${plain}`)).toEqual([plain]);
});
