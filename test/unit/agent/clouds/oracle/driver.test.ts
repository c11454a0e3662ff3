import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { metadataOf } from '../../../../../src/agent/clouds/metadata.ts';
import { oracle } from '../../../../../src/agent/clouds/oracle/driver.ts';

const { schema, defaults } = oracle.settings;

test.each([
  ['http://169.254.169.254', '169.254.169.254', 80],
  ['http://127.0.0.1:8080/', '127.0.0.1', 8080],
  ['https://imds.example.com', 'imds.example.com', 443],
])(
  'the guard closes only the port of the metadata service, because the address also serves DNS and NTP: %s',
  (imdsEndpoint, address, port) => {
    expect(metadataOf(oracle, { ...defaults, imdsEndpoint })[0]).toEqual({
      address,
      only: { protocol: 'tcp', port },
      setting: 'oracle.imdsEndpoint',
    });
  },
);

describe('the settings of Oracle Cloud', () => {
  test.each([
    ['ocid1.vault.oc1.eu-frankfurt-1.bbpabcdefaaik.abtheljtabcdef', true],
    ['ocid1.vault.oc1.iad.b5q.abuw', true],
    ['ocid1.vaultsecret.oc1.eu-frankfurt-1.amaaaa', false],
    ['team-vault', false],
    ['ocid1.vault.oc1..a&secretName=x', false],
  ])('accept only the OCID of a vault as oracle.vault.id: %s', (id, expected) => {
    expect(z.safeParse(schema, { ...defaults, vault: { id } }).success).toBe(expected);
  });

  test.each([
    ['k3s-token', true],
    ['K3s_token.1', true],
    ['k3s/token', false],
    ['', false],
  ])('accept only secret names that a vault can have: %j', (name, expected) => {
    expect(oracle.secretName && z.safeParse(oracle.secretName, name).success).toBe(expected);
  });
});
