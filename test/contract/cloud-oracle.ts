import { type OracleSettings, oracleSettings } from '../../src/agent/clouds/oracle/settings.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { startOracle } from '../lab/oracle/index.ts';
import { readRepos } from '../lab/oracle/registry.ts';
import { readSecret } from '../lab/oracle/vault.ts';
import type { DrivenWorld } from './cloud.ts';

/** Starts the Oracle Cloud world: emulated endpoints for Slipway's own client. */
export async function oracleWorld(): Promise<DrivenWorld<OracleSettings>> {
  const oracle = await startOracle({
    nodes: {
      server: { hostname: 'Server-1', freeformTags: { 'K3s-Role': 'server' }, addresses: ['10.0.2.10'] },
    },
    registries: ['fra.ocir.io'],
  });
  for (const name of ['k3s-token', 'absent']) {
    oracle.permit('server', readSecret(name));
  }
  oracle.permit('server', readRepos);
  const { vm, url } = oracle.node('server');
  return {
    ground: {
      machine: {
        hostname: 'unused',
        addresses: () => [{ interface: 'ens3', address: '10.0.2.10', hasDefaultRoute: true }],
        credentials: '/run/credentials/slipway.service',
      },
      host: nodeHost({ proxy: oracle.proxyUrl, caFile: oracle.caFile }),
      settings: { ...oracleSettings.defaults, imdsEndpoint: url, vault: { id: oracle.vault.id } },
    },
    identity: {
      computerName: 'Server-1',
      vmId: vm.id,
      location: 'eu-frankfurt-1',
      address: '10.0.2.10',
      tags: { 'k3s-role': 'server' },
    },
    registry: 'fra.ocir.io',
    foreignRegistry: 'iad.ocir.io',
    image: { repository: 'labspace/hello/world', tag: '1', digest: undefined },
    keepsVersions: true,
    setSecret: (name, value) =>
      value === undefined ? oracle.vault.delete(name) : oracle.vault.set(name, value),
    stop: oracle.stop,
  };
}
