import { type AzureSettings, azureSettings } from '../../src/agent/clouds/azure/settings.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { startAzure } from '../lab/azure/index.ts';
import type { DrivenWorld } from './cloud.ts';

/** Starts the Azure world: emulated endpoints for the real SDKs. */
export async function azureWorld(): Promise<DrivenWorld<AzureSettings>> {
  const azure = await startAzure({
    nodes: {
      server: {
        computerName: 'Server-1',
        tags: { 'K3s-Role': 'server' },
        interfaces: [['10.0.0.4', '10.0.0.5']],
      },
    },
    vaults: { 'team-vault': {} },
    registries: ['team.azurecr.io', 'other.azurecr.io'],
  });
  azure.setRole('server', 'Key Vault Secrets User', 'team-vault.vault.azure.net');
  azure.setRole('server', 'AcrPull', 'team.azurecr.io');
  const { vm } = azure.node('server');
  let seconds = 0;
  return {
    ground: {
      machine: {
        hostname: 'unused',
        addresses: () => [{ interface: 'eth0', address: '10.0.0.4', hasDefaultRoute: true }],
        credentials: '/run/credentials/slipway.service',
      },
      host: nodeHost({ proxy: azure.proxyUrl, caFile: azure.caFile }),
      settings: {
        ...azureSettings.defaults,
        imdsEndpoint: azure.imdsUrl('server'),
        keyVault: { name: 'team-vault' },
      },
    },
    identity: {
      computerName: 'Server-1',
      vmId: vm.vmId,
      location: 'westeurope',
      address: '10.0.0.4',
      tags: { 'k3s-role': 'server' },
    },
    registry: 'team.azurecr.io',
    foreignRegistry: 'other.azurecr.io',
    image: {
      repository: 'hello/world',
      tag: '1',
      digest: azure.registry().content.manifest('hello/world', '1')?.digest,
    },
    keepsVersions: true,
    setSecret(name, value) {
      if (value === undefined) {
        azure.vault().delete(name);
        return;
      }
      // Key Vault notes only the second in which a version was created.
      seconds += 1;
      azure.vault().set(name, value, Date.now() + seconds * 1_000);
    },
    announcer: {
      announce(about) {
        const vms = { 'this VM': ['server'], 'another VM': ['other'], 'both VMs': ['other', 'server'] };
        return azure.events.announce({ type: 'Reboot', vms: vms[about] });
      },
      cancel: (id) => azure.events.end(id),
    },
    stop: azure.stop,
  };
}
