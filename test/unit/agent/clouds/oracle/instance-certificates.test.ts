import { createPublicKey, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readCertificates } from '../../../../../src/agent/clouds/oracle/instance-certificates.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import type { InstanceFiles } from '../../../../lab/oracle/federation.ts';
import { issue, makeAuthority } from '../../../../lab/standins/k3s-certificates.ts';
import { imdsEndpoint, instanceFiles, tenancy, withIdentity } from './an-instance.ts';

const files = instanceFiles();

function read(changes: Partial<Record<keyof InstanceFiles, string | undefined>> = {}) {
  const host = withIdentity(memoryHost(), () => ({ ...files, ...changes }) as Partial<InstanceFiles>);
  return { host, certificates: readCertificates(host, imdsEndpoint) };
}

/** Returns the files of a certificate whose subject has this organizational unit. */
function filesFor(unit: string): Pick<InstanceFiles, 'cert.pem' | 'key.pem'> {
  const { certificate, key } = issue(makeAuthority('root'), {
    commonName: 'a',
    organizationalUnits: ['opc-certtype:instance', unit],
  });
  return { 'cert.pem': certificate, 'key.pem': key };
}

describe('readCertificates', () => {
  test('reads the leaf with its key, the intermediates and the tenancy', async () => {
    const { host, certificates } = read();
    const { leaf, key, intermediates, tenancy: found } = await certificates;
    expect(leaf.raw).toEqual(new X509Certificate(files['cert.pem']).raw);
    expect(leaf.publicKey.equals(createPublicKey(key))).toBe(true);
    expect(intermediates.map(({ raw }) => raw)).toEqual([new X509Certificate(files['intermediate.pem']).raw]);
    expect(found).toBe(tenancy);
    expect([...host.looks].sort()).toEqual(
      ['cert.pem', 'intermediate.pem', 'key.pem'].map((name) => `${imdsEndpoint}/opc/v2/identity/${name}`),
    );
  });

  test.each([
    ['opc-tenant:ocid1.tenancy.oc1..x-y_z', 'ocid1.tenancy.oc1..x-y_z'],
    ['opc-identity:ocid1.tenancy.oc1..old', 'ocid1.tenancy.oc1..old'],
  ])('finds the tenancy in the subject: %s', async (unit, expected) => {
    expect((await read(filesFor(unit)).certificates).tenancy).toBe(expected);
  });

  test('returns at most eight intermediates, the first ones', async () => {
    const one = files['intermediate.pem'];
    const { intermediates } = await read({ 'intermediate.pem': `${one.repeat(8)}${files['cert.pem']}` })
      .certificates;
    expect(intermediates.map(({ raw }) => raw)).toEqual(Array(8).fill(new X509Certificate(one).raw));
  });

  test('returns no intermediates if the service has none', async () => {
    expect((await read({ 'intermediate.pem': '' }).certificates).intermediates).toEqual([]);
  });

  test.each<[string, object]>([
    ['a certificate that is damaged', { 'cert.pem': 'canary' }],
    ['a key that is damaged', { 'key.pem': 'canary' }],
    ['the key of another certificate', { 'key.pem': instanceFiles()['key.pem'] }],
    ['a subject without a tenancy', filesFor('opc-instance:ocid1.instance.oc1..canary')],
    [
      'an intermediate that is damaged',
      { 'intermediate.pem': '-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n' },
    ],
  ])('reports %s as InstancePrincipalUnavailable, without quoting it', async (_what, changes) => {
    const failure = await read(changes).certificates.catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({
      reason: 'InstancePrincipalUnavailable',
      endedBy: 'time',
    });
    // A cause could quote the private key.
    expect(failure).not.toHaveProperty('cause');
    expect(`${failure}`).not.toContain('canary');
  });

  test.each(['cert.pem', 'key.pem', 'intermediate.pem'])(
    'passes on the error of the metadata service: %s',
    async (name) => {
      await expect(read({ [name]: undefined }).certificates).rejects.toMatchObject({
        reason: 'IdentityUnavailable',
      });
    },
  );
});
