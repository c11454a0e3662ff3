import { describe, expect, test } from 'vitest';
import {
  parseCertificate,
  parseCertificates,
} from '../../../../../../src/agent/parts/k3s/certificates/certificate.ts';
import { issue, makeAuthority } from '../../../../../lab/standins/k3s-certificates.ts';

const [from, ends] = [Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1)];
const authority = makeAuthority('k3s-client-ca', { from, ends: Date.UTC(2036, 0, 1) });
const { certificate, key } = issue(authority, { commonName: 'system:admin', validity: { from, ends } });
const damaged = certificate.replace(/\n.{64}\n/, '\n');

test('parseCertificate returns the validity, the kind and the fingerprint of a certificate', () => {
  expect(parseCertificate(certificate)).toEqual({
    ...{ from, ends, isCa: false },
    fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
  });
  expect(parseCertificate(authority.certificate)?.isCa).toBe(true);
});

test('a damaged certificate cannot be parsed', () => {
  expect(parseCertificate(damaged)).toBeUndefined();
});

test('a file has the leaf first and its chain after it, whatever else it contains', () => {
  const parsed = parseCertificates(`subject\n${certificate}${key}${authority.certificate}`);
  expect(typeof parsed === 'string' ? parsed : parsed.map(({ isCa }) => isCa)).toEqual([false, true]);
});

describe('a file is not a certificate file', () => {
  test.each([
    ['without a certificate', 'contains no certificate', ''],
    ['with a key alone', 'contains no certificate', key],
    ['with a damaged leaf', 'contains a damaged certificate', damaged],
    ['with a damaged certificate in its chain', 'contains a damaged certificate', certificate + damaged],
    ['that ends within a certificate', 'contains no certificate', certificate.slice(0, 200)],
    ['that ends within its chain', 'contains a damaged certificate', certificate + certificate.slice(0, 200)],
    ['with 17 certificates', 'contains more than 16 certificates', certificate.repeat(17)],
    ['of more than 64 KiB', 'is larger than 64 KiB', `${certificate}${'x'.repeat(65_536)}`],
  ])('%s', (_, why, text) => {
    expect(parseCertificates(text)).toBe(why);
  });
});
