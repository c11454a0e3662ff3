import type { CloudDriver, Metadata } from '../driver.ts';
import { oracleHints } from './hints.ts';
import { oracleCloud } from './oracle.ts';
import { oracleSettings, vaultSecretName } from './settings.ts';

/** The driver for Oracle Cloud, which uses the VM's instance principal. */
export const oracle: CloudDriver<typeof oracleSettings.schema> = {
  summary: 'asks the metadata service of Oracle Cloud',
  settings: oracleSettings,
  // Oracle's VMs and bare-metal machines have this asset tag (cloud-init, tools/ds-identify and DataSourceOracle.py).
  signs: { cloudId: 'oracle', dmi: { chassis_asset_tag: 'OracleCloud.com' } },
  secretName: vaultSecretName,
  tags: 'metadata',
  metadata: {
    locate: ({ imdsEndpoint }) => serviceAt(imdsEndpoint),
    // cloud-init uses both addresses (DataSourceOracle.py).
    others: [oracleSettings.defaults.imdsEndpoint, 'http://[fd00:c1::a9fe:a9fe]'].map(serviceAt),
  },
  events: 'absent',
  hints: oracleHints,
  scrubbedVariables: [],
  create: oracleCloud,
};

/**
 * Returns the metadata service at an endpoint. Only its port is guarded, because the address also serves DNS, NTP and
 * iSCSI.
 */
function serviceAt(endpoint: string): Metadata {
  const { hostname, port, protocol } = new URL(endpoint);
  const usual = protocol === 'https:' ? 443 : 80;
  const only = { protocol: 'tcp', port: Number(port || usual) } as const;
  return { address: hostname, only, setting: 'oracle.imdsEndpoint' };
}
