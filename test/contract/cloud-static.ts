import type { StaticSettings } from '../../src/agent/clouds/static/settings.ts';
import { memoryHost } from '../lab/memory-host.ts';
import type { DrivenWorld } from './cloud.ts';

/** Makes the world of the static cloud: its settings, and the files of a machine in memory. */
export function staticWorld(): DrivenWorld<StaticSettings> {
  const host = memoryHost({
    files: { '/secrets/team': { content: 'a-password\n', mode: 0o600 } },
  });
  return {
    ground: {
      host,
      machine: {
        hostname: 'Laptop',
        addresses: () => [
          { interface: 'eth0', address: '203.0.113.7', hasDefaultRoute: true },
          { interface: 'enp7s0', address: '10.0.0.3' },
        ],
        credentials: '/run/credentials/slipway.service',
      },
      settings: {
        vmId: 'a-machine',
        location: 'a-desk',
        address: '10.0.0.0/24',
        tags: { 'K3s-Role': 'server' },
        secrets: { 'k3s-token': '/secrets/k3s-token', absent: '/secrets/absent' },
        registries: { 'team.azurecr.io': { username: 'team', passwordFile: '/secrets/team' } },
      },
    },
    identity: {
      computerName: 'Laptop',
      vmId: 'a-machine',
      location: 'a-desk',
      address: '10.0.0.3',
      interface: 'enp7s0',
      tags: { 'k3s-role': 'server' },
    },
    registry: 'team.azurecr.io',
    foreignRegistry: 'other.azurecr.io',
    image: { repository: 'hello/world', tag: '1', digest: undefined },
    keepsVersions: false,
    setSecret: (name, value) => {
      if (value !== undefined) {
        host.files.write(`/secrets/${name}`, value, 0o600);
      }
    },
  };
}
