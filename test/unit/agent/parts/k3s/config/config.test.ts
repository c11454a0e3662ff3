import { describe, expect, test } from 'vitest';
import { configFile, renderConfig } from '../../../../../../src/agent/parts/k3s/config/config.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';

const head =
  '# Written by Slipway; what else K3s should know goes to a file in config.yaml.d beside this one.\n';

describe('renderConfig', () => {
  test('renders the configuration of a server', () => {
    const node = aNode('server', {
      settings: { k3s: { config: { disable: ['traefik'], 'cluster-init': true } } },
    });
    expect(renderConfig(node)).toBe(`${head}token-file: "/var/lib/slipway/join-token"
write-kubeconfig-mode: "0600"
node-name: "vm-1"
node-ip:
  - "10.0.0.5"
disable:
  - "traefik"
cluster-init: true
`);
  });

  test('renders the configuration of an observability node with additional labels', () => {
    const settings = {
      node: { labels: ['zone=1'] },
      k3s: { config: { 'node-label': ['more=yes'], 'kubelet-arg': 'max-pods=50' } },
    };
    expect(
      renderConfig(aNode('observability', { settings })),
    ).toBe(`${head}token-file: "/var/lib/slipway/join-token"
server: "https://10.0.0.4:6443"
node-name: "vm-1"
node-ip:
  - "10.0.0.5"
node-label:
  - "role=observability"
  - "zone=1"
  - "more=yes"
kubelet-arg: "max-pods=50"
node-taint:
  - "observability=true:NoSchedule"
`);
  });

  test('sets flannel-iface and node-external-ip to the interface and the external address of the node', () => {
    const text = renderConfig(aNode('agent', { interface: 'enp7s0', externalAddress: '203.0.113.7' }));
    expect(text).toContain('flannel-iface: "enp7s0"\nnode-external-ip:\n  - "203.0.113.7"\n');
  });

  test('prefers the interface and the external address in k3s.config to those of the node', () => {
    const config = { 'flannel-iface': 'wg0', 'node-external-ip': ['198.51.100.1'] };
    const chosen = { interface: 'enp7s0', externalAddress: '203.0.113.7' };
    const text = renderConfig(aNode('agent', { ...chosen, settings: { k3s: { config } } }));
    expect(text).toContain('flannel-iface: "wg0"\nnode-external-ip:\n  - "198.51.100.1"\n');
    expect(text).not.toMatch(/enp7s0|203/);
  });

  test('quotes text that YAML would read as a number', () => {
    const text = renderConfig(aNode('agent', { name: '0123', settings: { node: { labels: ['a=1e5'] } } }));
    expect(text).toContain('node-name: "0123"');
  });

  test.each([
    ['token-file', '/var/lib/slipway/join-token'],
    ['data-dir', '/var/lib/rancher/k3s'],
    ['private-registry', '/etc/rancher/k3s/registries.yaml'],
    ['image-credential-provider-config', '/var/lib/rancher/credentialprovider/config.yaml'],
    ['image-credential-provider-bin-dir', '/var/lib/rancher/credentialprovider/bin'],
    ['write-kubeconfig', '/etc/rancher/k3s/k3s.yaml'],
  ])('sets the flag %s to a path below another root', (key, path) => {
    const text = renderConfig(aNode('server', { root: '/tmp/lab' }));
    expect(text).toContain(`${key}: "/tmp/lab${path}"`);
  });

  test.each([
    ['agent', { 'cluster-init': true }, /cluster-init/],
    ['agent', { 'node-lable': 'a=b' }, /node-lable/],
    ['server', { debug: 'loud' }, /debug/],
  ] as const)('rejects the configuration $1 for the role $0', (role, config, message) => {
    const node = aNode(role, { settings: { k3s: { config } } });
    expect(() => renderConfig(node)).toThrow(message);
    expect(() => renderConfig(node)).toThrow(
      expect.objectContaining({ reason: 'K3sConfigInvalid', endedBy: 'person' }),
    );
  });
});

test('configFile writes config.yaml with mode 0600', async () => {
  const host = memoryHost();
  const resource = configFile(aNode('server'), []);
  expect(resource.id).toBe('File//etc/rancher/k3s/config.yaml');
  expect(await settle(resource, host)).toEqual(['Drifted content, mode', 'InSync']);
  expect((await host.readFile('/etc/rancher/k3s/config.yaml'))?.mode).toBe(0o600);
});

test('configFile reports an invalid configuration when its Resource is checked, not when the Resource is created', async () => {
  const resource = configFile(aNode('agent', { settings: { k3s: { config: { nonsense: 1 } } } }), []);
  expect(await outcome(resource, memoryHost())).toBe('K3sConfigInvalid (person)');
});
