import { expect, test } from 'vitest';
import { oracleCloud } from '../../../../../src/agent/clouds/oracle/oracle.ts';
import type { OracleSettings } from '../../../../../src/agent/clouds/oracle/settings.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';

const imdsEndpoint = 'http://169.254.169.254';
const vm = {
  id: 'ocid1.instance.oc1.phx.a',
  canonicalRegionName: 'us-gov-phoenix-1',
  regionInfo: { realmDomainComponent: 'oraclegovcloud.com' },
};

function start(vault: OracleSettings['vault'], instance: object = { body: JSON.stringify(vm) }) {
  return oracleCloud({
    host: memoryHost()
      .onGet(`${imdsEndpoint}/opc/v2/instance/`, instance)
      .onGet(`${imdsEndpoint}/opc/v2/vnics/`, '[]'),
    settings: { imdsEndpoint, vault },
    machine: { hostname: 'machine', addresses: () => [], credentials: '/run/credentials' },
  });
}

test.each([
  [
    'the identity service and the vault service',
    { id: 'ocid1.vault.oc3.x.y' },
    ['auth.us-gov-phoenix-1.oraclegovcloud.com', 'secrets.vaults.us-gov-phoenix-1.oci.oraclegovcloud.com'],
  ],
  ['only the identity service, without a vault', {}, ['auth.us-gov-phoenix-1.oraclegovcloud.com']],
])('the endpoints of oracleCloud are those of the region: %s', async (_what, vault, expected) => {
  expect((await start(vault).endpoints()).map(({ host }) => host)).toEqual(expected);
});

test('the endpoints of oracleCloud are unknown while the metadata service fails', async () => {
  await expect(start({}, { status: 500 }).endpoints()).rejects.toMatchObject({
    reason: 'IdentityUnavailable',
  });
});
