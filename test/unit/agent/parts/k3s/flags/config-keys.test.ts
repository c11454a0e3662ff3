import { describe, expect, test } from 'vitest';
import {
  checkK3sConfig,
  k3sKeys,
  k3sSettingsProblems,
} from '../../../../../../src/agent/parts/k3s/flags/config-keys.ts';

test('k3sKeys contains 46 agent keys and 126 server keys, none of them twice', () => {
  const names = (command: 'server' | 'agent') =>
    k3sKeys.filter(({ commands }) => commands.includes(command)).map(({ name }) => name);
  expect(new Set(names('agent')).size).toBe(46);
  expect(new Set(names('server')).size).toBe(126);
  expect(new Set(k3sKeys.map(({ name }) => name)).size).toBe(k3sKeys.length);
});

describe('checkK3sConfig', () => {
  test.each([
    ['server', 'disable', ['traefik', 'servicelb']],
    ['server', 'disable', 'traefik'],
    ['agent', 'kubelet-arg+', ['max-pods=60']],
    ['agent', 'kubelet-arg+', 'max-pods=60'],
    ['agent', 'node-name', 'a'],
    ['agent', 'v', 3],
    ['agent', 'v', '3'],
    ['agent', 'debug', true],
    ['agent', 'debug', 'true'],
    ['agent', 'disable-apiserver-lb', true],
    ['agent', 'node-label', ['a=b', 'node.kubernetes.io/a=']],
    ['agent', 'node-label+', 'a=b,c=d'],
    ['agent', 'node-taint', ['a=b:NoSchedule', 'c:NoExecute']],
    ['server', 'etcd-s3-timeout', '5m0s'],
    ['server', 'write-kubeconfig-mode', '0640'],
    ['server', 'write-kubeconfig-mode', 640],
  ] as const)('for k3s %s, accepts the key %s with the value %j', (command, key, value) => {
    expect(checkK3sConfig(command, { [key]: value })).toEqual([]);
  });

  test.each([
    ['server', 'flanel-backend', 'none', 'is not a key of k3s server; did you mean `flannel-backend`?'],
    ['server', 'zzzzzzzz', 'x', 'is not a key of k3s server; k3s server --help lists them'],
    ['agent', 'tls-san', ['x'], 'is a key of k3s server, not of k3s agent; leave it out on this node'],
    [
      'server',
      'disable-apiserver-lb',
      true,
      'is a key of k3s agent, not of k3s server; leave it out on this node',
    ],
    ['server', 'debug', 'yes', 'must be true or false'],
    ['server', 'https-listen-port', 'https', 'must be a whole number'],
    ['server', 'https-listen-port', 1.5, 'must be a whole number'],
    ['server', 'cluster-domain', ['a'], 'must be text'],
    ['server', 'cluster-domain', true, 'must be text'],
    ['server', 'etcd-s3-timeout', 30, 'must be a duration such as 30s or 5m0s'],
    ['server', 'disable', { traefik: true }, 'must be a list of texts, or one text'],
    ['server', 'disable', [['traefik']], 'must be a list of texts, or one text'],
    ['agent', 'node-label', ['a=b', 'role'], 'must be a label such as team=web'],
    [
      'agent',
      'node-label+',
      'a=b,node-role.kubernetes.io/worker=true',
      'is a label that kubelet may not give itself; use another prefix, or set it with kubectl once the node is there',
    ],
    [
      'agent',
      'node-taint',
      'a=b',
      'must be a taint such as dedicated=gpu:NoSchedule (or PreferNoSchedule, NoExecute)',
    ],
    ['server', 'debug+', true, 'is not a list, so nothing can be appended; write debug'],
  ] as const)('for k3s %s, rejects the key %s with the value %j', (command, key, value, message) => {
    expect(checkK3sConfig(command, { [key]: value })).toEqual([{ key, message }]);
  });
});

describe('k3sSettingsProblems', () => {
  const config = { 'tls-san': ['x'], 'disable-apiserver-lb': true, debg: true, selinux: 5 };
  test.each([
    ['server', ['disable-apiserver-lb', 'debg', 'selinux']],
    ['observability', ['tls-san', 'debg', 'selinux']],
    ['no-such-role', ['debg', 'selinux']],
    [undefined, ['debg', 'selinux']],
  ])('returns the problems of k3s.config for the role %s', (role, keys) => {
    expect(k3sSettingsProblems({ role, k3s: { config } }).map(({ path }) => path)).toEqual(
      keys.map((key) => ['k3s', 'config', key]),
    );
  });

  test.each([undefined, {}, { k3s: 5 }, { k3s: { config: 'text' } }])(
    'ignores settings of the wrong type, which other checks report: %j',
    (written) => {
      expect(k3sSettingsProblems(written)).toEqual([]);
    },
  );
});
