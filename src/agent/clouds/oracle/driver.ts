import type { CloudDriver } from '../driver.ts';
import { oracleHints } from './hints.ts';
import { oracleCloud } from './oracle.ts';
import { oracleSettings, vaultSecretName } from './settings.ts';

/** The driver for Oracle Cloud, which uses the VM's instance principal. */
export const oracle: CloudDriver<typeof oracleSettings.schema> = {
  summary: 'asks the metadata service of Oracle Cloud',
  settings: oracleSettings,
  // Oracle gives this tag to its VMs and bare-metal machines (cloud-init, tools/ds-identify and DataSourceOracle.py).
  signs: { cloudId: 'oracle', dmi: { chassis_asset_tag: 'OracleCloud.com' } },
  secretName: vaultSecretName,
  fillsInLater: true,
  metadata: {
    // The same address serves DNS, NTP and iSCSI, which stay open.
    locate: ({ imdsEndpoint }) => {
      const { hostname, port } = new URL(imdsEndpoint);
      return {
        address: hostname,
        only: { protocol: 'tcp', port: Number(port || 80) },
        setting: 'oracle.imdsEndpoint',
      };
    },
  },
  // The addresses of the services follow from the region, which only the metadata service knows.
  endpoints: () => [],
  hints: oracleHints,
  scrubbedVariables: [],
  create: oracleCloud,
};
