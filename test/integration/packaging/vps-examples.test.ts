import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { gather, type Knowledge } from '../../../src/agent/knowledge.ts';
import { renderConfig } from '../../../src/agent/parts/k3s/config/config.ts';
import { k3sSettingsProblems } from '../../../src/agent/parts/k3s/index.ts';
import { renderSysctl } from '../../../src/agent/parts/machine/system.ts';
import { nodePaths } from '../../../src/agent/paths.ts';
import { load } from '../../../src/agent/settings/load.ts';
import { makeCloud } from '../../../src/commands/compose.ts';
import { memoryHost } from '../../lab/memory-host.ts';
import { asUserData, template } from './user-data.ts';

const values: Readonly<Record<string, string>> = {
  slipway_url: 'https://example.com/slipway',
  slipway_sha256: '0'.repeat(64),
  k3s_token: 'canary',
  private_range: '10.0.0.0/16',
  api_address: 'api.example.com',
  server_address: '10.0.0.2',
};

const server = `token-file: "/var/lib/slipway/join-token"
write-kubeconfig-mode: "600"
node-name: "vps-1"
`;
const agent = `token-file: "/var/lib/slipway/join-token"
server: "https://10.0.0.2:6443"
node-name: "vps-1"
`;
const privateAddress = `node-ip:
  - "10.0.0.3"
flannel-iface: "enp7s0"
`;
const publicAddress = `node-ip:
  - "203.0.113.7"
node-external-ip:
  - "203.0.113.7"
`;
const wireguard = `flannel-backend: "wireguard-native"
flannel-external-ip: true
`;
const hardened = `disable:
  - "traefik"
  - "servicelb"
tls-san:
  - "api.example.com"
secrets-encryption: true
protect-kernel-defaults: true
node-label:
  - "node-role=master"
node-taint:
  - "node-role.kubernetes.io/control-plane=true:NoSchedule"
`;
const worker = `protect-kernel-defaults: true
node-label:
  - "node-role=worker"
`;

const examples = [
  ['vps-private-network-server', server + privateAddress + hardened],
  ['vps-private-network-agent', agent + privateAddress + worker],
  ['vps-wireguard-server', server + publicAddress + wireguard + hardened],
  ['vps-wireguard-agent', agent + publicAddress + worker],
] as const;

describe.each(examples)('the user data %s', (name, config) => {
  const text = readFileSync(new URL(`../../../packaging/cloud-init/${name}.yaml`, import.meta.url), 'utf8');

  test('explains its variables at the top, and runs the same commands as user-data.yaml', () => {
    const explained = [...text.matchAll(/^# {3}(\w+) /gm)].map(([, variable]) => variable);
    expect(explained.toSorted()).toEqual(variablesOf(text));
    expect(text.slice(text.indexOf('runcmd:'))).toBe(template.slice(template.indexOf('runcmd:')));
  });

  test('sets the K3s flags of the example, and the kernel settings that protect-kernel-defaults requires', async () => {
    const { node, identity } = await knowledge(text, values);
    expect([identity.error, node.error]).toEqual([undefined, undefined]);
    const rendered = node.value && renderConfig(node.value);
    expect(rendered?.split('\n').slice(1).join('\n')).toBe(config);
    expect(node.value && renderSysctl(node.value)).toContain('vm.overcommit_memory = 1\nkernel.panic = 10\n');
  });

  test('puts the token only into a file that only root may read', () => {
    const { write_files } = asUserData(filledIn(text, values));
    const holders = write_files.filter(({ content }) => content.includes('canary'));
    expect(holders).toEqual([{ path: '/etc/slipway/k3s-token', permissions: '0600', content: 'canary\n' }]);
  });

  test.each(variablesOf(text).filter((each) => !/^slipway_|token/.test(each)))(
    'causes an error in the settings if %s has no value',
    async (variable) => {
      const { [variable]: _, ...others } = values;
      const { files } = await knowledge(text, others);
      expect(files.error?.message).toContain(`the template variable \${${variable}} was not filled in`);
    },
  );

  test('gives the node no token if k3s_token is not filled in', async () => {
    const { k3s_token: _, ...others } = values;
    const { machine, cloud } = await started(text, others);
    expect(machine.files.text('/etc/slipway/k3s-token')).toContain('k3s_token');
    await expect(cloud.secret('k3s-token')).rejects.toThrow('has a template variable that was not filled in');
  });
});

function variablesOf(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name))]
    .filter((name) => name !== 'config')
    .toSorted();
}

function filledIn(text: string, given: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)\}/g, (whole, name) => given[name] ?? whole);
}

/**
 * Creates a VPS in memory with the files of the user data; its first address is public. Resolves to the machine, its
 * addresses, its loaded settings and its cloud.
 */
function started(text: string, given: Readonly<Record<string, string>>) {
  const interfaces = [
    { interface: 'eth0', address: '203.0.113.7', hasDefaultRoute: true },
    { interface: 'enp7s0', address: '10.0.0.3', hasDefaultRoute: false },
  ];
  const { write_files } = asUserData(filledIn(text, given));
  const files = write_files.map(
    ({ path, content, permissions }) => [path, { content, mode: Number.parseInt(permissions, 8) }] as const,
  );
  const machine = memoryHost({ files: Object.fromEntries(files) });
  const addresses = interfaces.map(({ address }) => address);
  const facts = { hostname: 'vps-1', current: () => interfaces, credentials: '/run/credentials' };
  const settings = load(machine, { paths: nodePaths('/'), check: k3sSettingsProblems });
  return settings.then((loaded) => ({
    machine,
    addresses,
    loaded,
    cloud: makeCloud(loaded.settings, machine, facts),
  }));
}

async function knowledge(text: string, given: Readonly<Record<string, string>>): Promise<Knowledge> {
  const vps = started(text, given);
  // This catch may ignore the failure, because `loadSettings` reports it.
  const known = await vps.catch(() => undefined);
  return gather({
    loadSettings: async () => (await vps).loaded,
    cloudFor: () => {
      if (known === undefined) {
        throw new Error('asked without settings');
      }
      return known.cloud;
    },
    paths: nodePaths('/'),
    arch: 'x64',
    slipway: '/usr/local/bin/slipway',
    machine: { host: known?.machine ?? memoryHost(), addresses: () => known?.addresses ?? [] },
  });
}
