import { describe, expect, test } from 'vitest';
import { digest } from '../../../../../../src/agent/engine/digest.ts';
import type { Resource } from '../../../../../../src/agent/engine/resource.ts';
import { configFile } from '../../../../../../src/agent/parts/k3s/config/config.ts';
import {
  keepingSettings,
  settingsChange,
  unlessIrreversible,
} from '../../../../../../src/agent/parts/k3s/config/settings-change.ts';
import { noteStart } from '../../../../../../src/agent/parts/k3s/config/started-with.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';

const paths = nodePaths('/');
const dropIn = '/etc/rancher/k3s/config.yaml.d/mine.yaml';
type Config = Readonly<Record<string, string | boolean | readonly string[]>>;

function serverWith(config: Config, consented: readonly string[] = []) {
  return aNode('server', { settings: { k3s: { config }, consent: { settings: consented } } });
}

/** Returns a running server whose cluster was created with this configuration. */
async function living(config: Config): Promise<MemoryHost> {
  const host = memoryHost({ files: { '/etc/systemd/system/k3s.service': '# Written by Slipway' } });
  await settle(configFile(serverWith(config), []), host);
  await noteStart(host, paths);
  host.files.write(paths.k3s.serverToken, 'K10a::server:x', 0o600);
  await noteStart(host, paths);
  return host;
}

async function message(host: MemoryHost, config: Config): Promise<string> {
  const thrown = await settingsChange(serverWith(config), [])
    .check(host)
    .catch((error: Error) => error);
  return thrown instanceof Error ? thrown.message : '';
}

const env = '/etc/systemd/system/k3s.service.env';

const drifted: Resource = {
  id: 'Service/k3s',
  summary: '',
  condition: 'K3sRunning',
  check: async () => ({
    state: 'Drifted',
    drift: { changes: [{ field: 'k3s', observed: 'a', desired: 'b' }], remedy: async () => {} },
  }),
};

const held = 'SettingsIrreversible (person, non-blocking)';

describe('a setting of a running server', () => {
  test.each([
    ['cluster-cidr', {}, { 'cluster-cidr': '10.50.0.0/16' }, held],
    ['service-cidr', { 'service-cidr': ['10.9.0.0/16'] }, { 'service-cidr': ['10.8.0.0/16'] }, held],
    ['cluster-domain', { 'cluster-domain': 'a.b' }, {}, held],
    ['secrets-encryption', {}, { 'secrets-encryption': true }, held],
    ['secrets-encryption that is turned off', { 'secrets-encryption': true }, {}, held],
    ['cluster-init', {}, { 'cluster-init': true }, held],
    ['cluster-dns', {}, { 'cluster-dns': '10.43.0.11' }, held],
    ['flannel-backend', {}, { 'flannel-backend': 'wireguard-native' }, held],
    ['a default of K3s, written out', {}, { 'flannel-backend': 'vxlan' }, 'InSync'],
    [
      'a list written as a string',
      { 'cluster-cidr': ['10.1.0.0/16'] },
      { 'cluster-cidr': '10.1.0.0/16' },
      'InSync',
    ],
    ['the same value', { 'secrets-encryption': true }, { 'secrets-encryption': true }, 'InSync'],
    ['a key that may change', {}, { 'tls-san': ['a.b'], disable: ['traefik'] }, 'InSync'],
  ] as const)(
    'is held back only if its new value would harm the cluster: %s',
    async (_name, before, now, expected) => {
      expect(await outcome(settingsChange(serverWith(now), []), await living(before))).toBe(expected);
    },
  );

  test('keeps its line in config.yaml while its change is held back, and other settings are applied', async () => {
    const before = { disable: ['traefik'], 'secrets-encryption': true, 'tls-san': ['a.b'] };
    const host = await living(before);
    const text = host.files.text(paths.k3s.config);
    const other = { 'cluster-cidr': '10.50.0.0/16', 'tls-san': ['a.b'], disable: ['traefik'] };
    expect(await settle(configFile(serverWith(other), []), host)).toEqual(['InSync']);
    expect(host.files.text(paths.k3s.config)).toBe(text);
    await settle(configFile(serverWith({ ...other, debug: true }), []), host);
    expect(host.files.text(paths.k3s.config)).toContain('debug: true');
    expect(host.files.text(paths.k3s.config)).not.toContain('10.50');
  });

  test('keeps the value that K3s runs with, even if config.yaml is missing', async () => {
    const host = await living({ 'cluster-cidr': '10.1.0.0/16' });
    host.files.remove(paths.k3s.config);
    await settle(configFile(serverWith({ 'cluster-cidr': '10.50.0.0/16' }), []), host);
    expect(host.files.text(paths.k3s.config)).toContain('"10.1.0.0/16"');
  });

  test('is compared with config.yaml if slipway-started-with.json is missing', async () => {
    const host = await living({});
    host.files.remove(paths.k3s.startedWith);
    expect(await outcome(settingsChange(serverWith({ 'cluster-cidr': '10.50.0.0/16' }), []), host)).toBe(
      held,
    );
  });

  test('is compared with its value at the first start of K3s, even after an edit of config.yaml by hand', async () => {
    const host = await living({});
    host.files.write(paths.k3s.config, 'cluster-cidr: 10.50.0.0/16\n', 0o600);
    await noteStart(host, paths);
    expect(await outcome(settingsChange(serverWith({}), []), host)).toBe('InSync');
  });

  test('that a drop-in changes is reported without the secret in its value, and config.yaml stays the same', async () => {
    const host = await living({});
    const text = host.files.text(paths.k3s.config);
    host.files.write(dropIn, 'server: https://10.0.0.9:6443\ndatastore-endpoint: mysql://u:canary@db\n');
    const told = await message(host, {});
    expect(told).toContain(
      `server in ${dropIn}, line 1 is https://10.0.0.9:6443 now, and K3s runs with none`,
    );
    expect(told).toContain(`datastore-endpoint in ${dropIn}`);
    expect(told).not.toContain('canary');
    await settle(configFile(serverWith({}), []), host);
    expect(host.files.text(paths.k3s.config)).toBe(text);
  });

  test.each([
    {
      name: 'an EnvironmentFile',
      path: env,
      text: '# mine\nK3S_DATASTORE_ENDPOINT="mysql://u:canary@db"\n',
      key: 'datastore-endpoint',
      line: 2,
    },
    {
      name: 'a file in /etc/default',
      path: '/etc/default/k3s',
      text: 'K3S_CLUSTER_INIT=true\n',
      key: 'cluster-init',
      line: 1,
    },
    {
      name: 'a drop-in of the unit',
      path: '/etc/systemd/system/k3s.service.d/a.conf',
      text: '[Service]\nEnvironment=K3S_DATASTORE_ENDPOINT=mysql://u:canary@db\n',
      key: 'datastore-endpoint',
      line: 2,
    },
    {
      name: 'a command in a drop-in of the unit',
      path: '/etc/systemd/system/k3s.service.d/a.conf',
      text: '[Service]\nExecStart=\nExecStart=/usr/local/bin/k3s server --cluster-init\n',
      key: 'cluster-init',
      line: 3,
    },
    {
      name: 'a drop-in of K3s',
      path: dropIn,
      text: 'debug: true\nsecrets-encryption: true\n',
      key: 'secrets-encryption',
      line: 2,
    },
  ])('that $name changes is reported with the line that changes it', async ({ path, text, key, line }) => {
    const host = await living({});
    host.files.write(path, text);
    const told = await message(host, {});
    expect(told).toContain(`${key} in ${path}, line ${line} is `);
    expect(told).not.toContain('canary');
  });

  test('that another file has set since the first start is not reported', async () => {
    const host = memoryHost({ files: { '/etc/systemd/system/k3s.service': '# Written by Slipway' } });
    host.files.write(env, 'K3S_DATASTORE_ENDPOINT=mysql://u:canary@db\n');
    host.files.write(paths.k3s.serverToken, 'K10a::server:x', 0o600);
    await noteStart(host, paths);
    expect(host.files.read(paths.k3s.startedWith)).toMatchObject({
      content: expect.not.stringContaining('canary'),
      mode: 0o600,
    });
    expect(await message(host, {})).toBe('');
  });

  test('in config.yaml takes precedence over an environment variable', async () => {
    const host = await living({ 'cluster-init': true });
    host.files.write(env, 'K3S_CLUSTER_INIT=false\n');
    expect(await message(host, { 'cluster-init': true })).toBe('');
  });
});

describe('a server with embedded etcd', () => {
  const node = aNode('server', { settings: { k3s: { datastore: 'etcd' } } });

  async function founded(database: string): Promise<MemoryHost> {
    const host = memoryHost({
      files: {
        '/etc/systemd/system/k3s.service': '# Written by Slipway',
        [paths.k3s.config]: 'cluster-init: true\n',
        [paths.k3s.serverToken]: 'K10a::server:x',
        [`/var/lib/rancher/k3s/server/db/${database}`]: 'the cluster',
      },
    });
    await noteStart(host, paths);
    return host;
  }

  test.each([
    ['etcd/member/wal', 'cluster-init: false\n', 'InSync'],
    ['etcd/member/wal', 'server: https://10.0.0.9:6443\n', 'InSync'],
    ['etcd/member/wal', 'cluster-cidr: 10.50.0.0/16\n', held],
    ['state.db', 'server: https://10.0.0.9:6443\n', held],
  ])('with the database %s and the drop-in %j is %s', async (database, text, expected) => {
    const host = await founded(database);
    host.files.write(dropIn, text);
    expect(await outcome(settingsChange(node, []), host)).toBe(expected);
  });
});

describe('the settings of a node', () => {
  const config = { 'cluster-cidr': '10.1.0.0/16' };

  test('stay unchanged if no change is held back', async () => {
    const node = serverWith(config);
    expect(await keepingSettings(await living(config), node)).toBe(node);
  });

  test("stay unchanged if the new value is in an operator's file", async () => {
    const host = await living(config);
    host.files.write(dropIn, 'cluster-cidr: 10.50.0.0/16\n');
    const node = serverWith(config);
    expect(await keepingSettings(host, node)).toBe(node);
  });

  test('may all change on an agent', async () => {
    const host = await living(config);
    host.files.write(paths.k3s.agentServerCa, 'ca');
    const node = aNode('agent', { settings: { k3s: { config: { 'cluster-cidr': '10.50.0.0/16' } } } });
    expect(await outcome(settingsChange(node, []), host)).toBe('InSync');
  });
});

describe('a datastore that the settings no longer name', () => {
  const endpoint = { 'datastore-endpoint': 'mysql://u:canary@db' };

  test('keeps its line in config.yaml', async () => {
    const host = await living(endpoint);
    const text = host.files.text(paths.k3s.config);
    await settle(configFile(serverWith({}), []), host);
    expect(host.files.text(paths.k3s.config)).toBe(text);
    expect(text).toContain('canary');
  });

  test('is not replaced by a datastore that was written into config.yaml by hand', async () => {
    const host = await living(endpoint);
    host.files.write(paths.k3s.config, 'datastore-endpoint: mysql://u:other@db\n', 0o600);
    await settle(configFile(serverWith({}), []), host);
    expect(host.files.text(paths.k3s.config)).not.toContain('other');
  });

  test('is not restored as a digest if config.yaml is lost, and holds back a restart of K3s', async () => {
    const host = await living(endpoint);
    host.files.remove(paths.k3s.config);
    await settle(configFile(serverWith({}), []), host);
    expect(host.files.text(paths.k3s.config)).not.toContain('datastore-endpoint');
    expect(await outcome(unlessIrreversible(serverWith({}), drifted), host)).toBe(
      'Waiting SettingsIrreversible',
    );
  });
});

describe('a pending restart of K3s', () => {
  test('waits while a drop-in would change a fixed setting', async () => {
    const host = await living({});
    expect(await outcome(unlessIrreversible(serverWith({}), drifted), host)).toBe('Drifted k3s');
    host.files.write(dropIn, 'cluster-cidr: 10.50.0.0/16\n');
    expect(await outcome(unlessIrreversible(serverWith({}), drifted), host)).toBe(
      'Waiting SettingsIrreversible',
    );
  });

  test('does not wait for a drop-in that adds the same values as at the last start', async () => {
    const host = memoryHost({ files: { '/etc/systemd/system/k3s.service': '# Written by Slipway' } });
    const node = serverWith({ 'cluster-dns': ['10.43.0.10'] });
    host.files.write(dropIn, 'cluster-dns+: [10.43.0.11]\ncluster-init:\n');
    await settle(configFile(node, []), host);
    host.files.write(paths.k3s.serverToken, 'K10a::server:x', 0o600);
    await noteStart(host, paths);
    expect(await outcome(settingsChange(node, []), host)).toBe('InSync');
    host.files.write(dropIn, 'cluster-dns+: [10.43.0.12]\n');
    expect(await outcome(settingsChange(node, []), host)).toBe(held);
  });

  test('does not wait if the settings have a new value, because config.yaml keeps the old value', async () => {
    const changed = serverWith({ 'cluster-cidr': '10.50.0.0/16' });
    for (const before of [{}, { 'cluster-cidr': '10.1.0.0/16' }]) {
      expect(await outcome(unlessIrreversible(changed, drifted), await living(before))).toBe('Drifted k3s');
    }
  });
});

describe('consent to a change of a fixed setting', () => {
  const now = { 'flannel-backend': 'wireguard-native', 'cluster-cidr': '10.50.0.0/16' };

  test('is requested only for a setting that may change with consent', async () => {
    const told = await message(await living({}), now);
    expect(told).toContain('k3s.config.cluster-cidr is 10.50.0.0/16 now, and K3s runs with 10.42.0.0/16.');
    expect(told).toContain(
      'add `consent: { settings: [flannel-backend=wireguard-native] }` to /etc/slipway/config.yaml',
    );
    expect(told).not.toContain('cluster-cidr=');
    const alone = await message(await living({}), { 'cluster-cidr': '10.50.0.0/16' });
    expect(alone).toMatch(/another\. Put the old values back\.$/);
  });

  test('has no effect on a setting that cannot change', async () => {
    const node = serverWith(now, ['cluster-cidr=10.50.0.0/16', 'secrets-encryption=true']);
    const host = await living({});
    await settle(configFile(node, []), host);
    expect(host.files.text(paths.k3s.config)).not.toContain('10.50');
  });

  test('allows only the value that it names, and is not needed after the next start', async () => {
    const host = await living({});
    const consented = ['flannel-backend=wireguard-native'];
    const node = serverWith({ 'flannel-backend': 'wireguard-native' }, consented);
    expect(await outcome(settingsChange(node, []), host)).toBe('InSync');
    await settle(configFile(node, []), host);
    expect(host.files.text(paths.k3s.config)).toContain('flannel-backend: "wireguard-native"');
    await noteStart(host, paths);
    expect(
      await outcome(settingsChange(serverWith({ 'flannel-backend': 'wireguard-native' }), []), host),
    ).toBe('InSync');
    expect(
      await outcome(settingsChange(serverWith({ 'flannel-backend': 'host-gw' }, consented), []), host),
    ).toBe(held);
  });
});

describe('a change of a fixed setting', () => {
  const node = serverWith({ 'cluster-cidr': '10.50.0.0/16' });

  test('is allowed on a server without a cluster, even if an earlier failed start used the old value', async () => {
    const host = await living({ 'cluster-cidr': '10.1.0.0/16' });
    host.files.remove(paths.k3s.serverToken);
    expect(await outcome(settingsChange(node, []), host)).toBe('InSync');
    await settle(configFile(node, []), host);
    await noteStart(host, paths);
    host.files.write(paths.k3s.serverToken, 'K10a::server:x', 0o600);
    expect(await outcome(settingsChange(node, []), host)).toBe('InSync');
  });

  test('is not reported once the settings have the values of an adopted unit', async () => {
    const host = memoryHost({
      files: {
        '/etc/systemd/system/k3s.service':
          '[Service]\nExecStart=/usr/local/bin/k3s server --cluster-cidr 10.50.0.0/16 --flannel-backend=host-gw\n',
        [paths.k3s.serverToken]: 'K10a::server:x',
      },
    });
    const taken = { 'cluster-cidr': '10.50.0.0/16', 'flannel-backend': 'host-gw' };
    expect(await outcome(settingsChange(serverWith(taken), []), host)).toBe('InSync');
    expect(await outcome(settingsChange(serverWith({}), []), host)).toBe(held);
  });

  test('is allowed if no file shows the values that K3s runs with', async () => {
    const host = memoryHost({ files: { [paths.k3s.serverToken]: 'K10a::server:x' } });
    expect(await outcome(settingsChange(node, []), host)).toBe('InSync');
  });

  test.each(['', '{', 'null', '{"first":1}'])(
    'is compared with config.yaml if slipway-started-with.json is damaged: %j',
    async (text) => {
      const host = await living({});
      host.files.write(paths.k3s.startedWith, text, 0o600);
      expect(await outcome(settingsChange(node, []), host)).toBe(held);
    },
  );
});

test('noteStart writes nothing on an agent', async () => {
  const host = memoryHost({ files: { [paths.k3s.config]: 'server: "https://a:6443"\n' } });
  await noteStart(host, paths);
  expect(host.journal).toEqual([]);
});

describe('the place of an external datastore', () => {
  const at = (endpoint: string) => `datastore-endpoint: ${endpoint}\n`;
  const first = 'postgres://k3s:canary@db/k3s';
  const moved = 'postgres://k3s:canary@db2/k3s';

  /** Returns a server whose cluster was created with this endpoint in a drop-in. */
  async function onDatabase(endpoint = first): Promise<MemoryHost> {
    const host = memoryHost({ files: { '/etc/systemd/system/k3s.service': '# Written by Slipway' } });
    host.files.write(dropIn, at(endpoint));
    host.files.write(paths.k3s.config, '');
    host.files.write(paths.k3s.serverToken, 'K10a::server:x', 0o600);
    await noteStart(host, paths);
    return host;
  }

  test('stays the same with another password', async () => {
    const host = await onDatabase();
    host.files.write(dropIn, at('postgres://other:newer@db:5432/k3s?sslmode=require'));
    expect(await outcome(settingsChange(serverWith({}), []), host)).toBe('InSync');
  });

  test('changes only with consent, which the condition prints without the password', async () => {
    const host = await onDatabase();
    host.files.write(dropIn, at(moved));
    const told = await message(host, {});
    expect(told).toContain('once the new database has the data of the cluster');
    expect(told).not.toContain('canary');
    const [subject = ''] = /datastore-endpoint=sha256:[0-9a-f]{12}/.exec(told) ?? [];
    expect(await outcome(settingsChange(serverWith({}, [subject]), []), host)).toBe('InSync');
    expect(await outcome(unlessIrreversible(serverWith({}, [subject]), drifted), host)).toMatch(/^Drifted/);
  });

  test('holds back a restart without it, and lets one with it through', async () => {
    const host = await onDatabase();
    host.files.remove(dropIn);
    await noteStart(host, paths);
    expect(await outcome(unlessIrreversible(serverWith({}), drifted), host)).toBe(
      'Waiting SettingsIrreversible',
    );
    host.files.write(dropIn, at(first));
    expect(await outcome(unlessIrreversible(serverWith({}), drifted), host)).toMatch(/^Drifted/);
  });

  test('is that of the first start if the record of the last start has none', async () => {
    const host = await onDatabase();
    const { first: values } = JSON.parse(host.files.text(paths.k3s.startedWith) ?? '');
    const record = { format: 1, first: values, last: {} };
    host.files.write(paths.k3s.startedWith, JSON.stringify(record), 0o600);
    expect(await outcome(settingsChange(serverWith({}), []), host)).toBe('InSync');
    host.files.remove(dropIn);
    expect(await outcome(settingsChange(serverWith({}), []), host)).toBe(held);
  });

  test('is recognised in a record of an earlier build, which has the digest of the whole endpoint', async () => {
    const host = await onDatabase();
    const values = { 'datastore-endpoint': digest(first) };
    const record = { format: 1, first: values, last: values };
    host.files.write(paths.k3s.startedWith, JSON.stringify(record), 0o600);
    expect(await outcome(settingsChange(serverWith({}), []), host)).toBe('InSync');
    host.files.write(dropIn, at(moved));
    expect(await outcome(settingsChange(serverWith({}), []), host)).toBe(held);
  });
});
