import { describe, expect, test } from 'vitest';
import { k3sSettingsProblems } from '../../../../src/agent/parts/k3s/flags/config-keys.ts';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { type LoadOptions, load } from '../../../../src/agent/settings/load.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { problemsOf } from './invalid.ts';

const own = '/etc/slipway/config.yaml';

function loadFiles(files: Readonly<Record<string, string>>, options: Partial<LoadOptions> = {}) {
  return load(memoryHost({ files }), { paths: nodePaths('/'), ...options });
}

function problems(yaml: string) {
  return problemsOf(() => loadFiles({ [own]: yaml }, { check: k3sSettingsProblems }));
}

describe('load', () => {
  test('uses the defaults if no file exists', async () => {
    const { settings, origins } = await loadFiles({});
    expect(settings.cloud).toBe('static');
    expect(settings.joinToken.interval).toBe(10_000);
    expect(settings.gitops.flux.timeout).toBe(600_000);
    expect(new Set(Object.values(origins))).toEqual(new Set(['default', 'auto: no cloud detected']));
  });

  test('lets later layers override earlier ones: vendor folder, config.yaml, config.d by name, command line', async () => {
    const files = {
      '/usr/lib/slipway/config.d/50-image.yaml':
        'node: { name: vendor, labels: [a=vendor] }\nlog: { level: warn }',
      [own]: 'node: { name: own }\nlog: { level: debug }\nrole: agent',
      '/etc/slipway/config.d/20-b.yaml': 'node: { name: folder-b }',
      '/etc/slipway/config.d/10-a.yaml': 'node: { name: folder-a, taints: ["t=a:NoSchedule"] }',
      '/etc/slipway/config.d/README.md': 'not: [yaml',
    };
    const { settings, origins } = await loadFiles(files, {
      commandLine: [{ option: '--log-level', path: 'log.level', value: 'trace' }],
    });
    expect(settings).toMatchObject({
      node: { name: 'folder-b', labels: ['a=vendor'], taints: ['t=a:NoSchedule'] },
      log: { level: 'trace' },
    });
    expect(origins).toMatchObject({
      'node.name': '/etc/slipway/config.d/20-b.yaml',
      'node.labels': '/usr/lib/slipway/config.d/50-image.yaml',
      'node.taints': '/etc/slipway/config.d/10-a.yaml',
      'log.level': 'command line --log-level',
      role: own,
      'k3s.version': 'default',
    });
  });

  test('drops the default of k3s.version beside a channel, and keeps it if the channel is reset', async () => {
    const channel = 'k3s: { channel: stable }';
    const { settings, origins } = await loadFiles({ [own]: channel });
    expect([settings.k3s.version, settings.k3s.channel]).toEqual([undefined, 'stable']);
    expect(origins['k3s.version']).toBeUndefined();
    const reset = { [own]: channel, '/etc/slipway/config.d/1.yaml': 'k3s: { channel: }' };
    expect((await loadFiles(reset)).settings.k3s).toMatchObject({ version: 'v1.36.3+k3s1' });
  });

  test('reads the file that --config names instead of config.yaml, and still reads the folders', async () => {
    const files = {
      [own]: 'role: server',
      '/tmp/x.yaml': 'role: agent',
      '/etc/slipway/config.d/1.yaml': 'log: { level: warn }',
    };
    const { settings } = await loadFiles(files, { file: '/tmp/x.yaml' });
    expect(settings).toMatchObject({ role: 'agent', log: { level: 'warn' } });
  });

  test('reports it if the file that --config names is missing', async () => {
    expect(await problemsOf(() => loadFiles({}, { file: '/tmp/x.yaml' }))).toEqual([
      '/tmp/x.yaml: does not exist; check the path after --config',
    ]);
  });

  test.each([own, '/etc/slipway/config.d/a.yaml'])('reports a dangling link at %s', async (path) => {
    const host = memoryHost({ files: { [path]: { link: '/nowhere.yaml' } } });
    expect(await problemsOf(() => load(host, { paths: nodePaths('/') }))).toEqual([
      `${path}: is a link that leads nowhere; repair or remove it`,
    ]);
    host.files.write('/nowhere.yaml', 'role: agent');
    expect((await load(host, { paths: nodePaths('/') })).settings.role).toBe('agent');
  });

  test('finds the files below the root', async () => {
    const host = memoryHost({ files: { '/lab/etc/slipway/config.yaml': 'role: server' } });
    expect((await load(host, { paths: nodePaths('/lab') })).settings.role).toBe('server');
  });

  test.each([
    ['', {}],
    ['# only a comment', {}],
    ['role:', {}],
    ['gitops:\n  flux:', {}],
  ])('ignores an empty value: %j', async (yaml) => {
    const { settings } = await loadFiles({ [own]: yaml });
    expect(settings.role).toBeUndefined();
    expect(settings.gitops.flux.branch).toBe('main');
  });
});

describe('load of invalid YAML', () => {
  test('reports every fault of every file with its place, and quotes no line', async () => {
    const files = {
      [own]: 'registries:\n  password: "hunter2\n',
      '/etc/slipway/config.d/a.yaml': 'role: agent\nrole: server\n',
    };
    expect(await problemsOf(() => loadFiles(files))).toEqual([
      `${own}: line 3, column 1: something is missing before this: a closing quote or bracket, a comma, a space, or the : of a key`,
      '/etc/slipway/config.d/a.yaml: line 2, column 1: this key is there already; keep one of the two',
    ]);
  });

  test.each(['- role', 'role', '5'])('refuses %j, which is not a map', async (yaml) => {
    expect(await problems(yaml)).toEqual([
      `${own}: line 1, column 1: must be a map of settings, such as role: server`,
    ]);
  });
});

describe('faults of the settings', () => {
  test('are all reported at once, each with its origin', async () => {
    const files = {
      [own]: 'cloud: azur\nregistries: { server: [a.azurecr.io] }\njoinToken: { interval: 10 }',
      '/etc/slipway/config.d/flux.yaml':
        'gitops: { engine: flux, flux: { provider: github, path: clusters/a } }',
    };
    const commandLine = [{ option: '--log-level', path: 'log.level', value: 'loud' }];
    expect(await problemsOf(() => loadFiles(files, { commandLine }))).toEqual([
      expect.stringMatching(/config\.yaml: cloud: must be auto, azure.*; did you mean `azure`\?$/),
      `${own}: joinToken.interval: must be a duration above zero such as 10s, 5m or 2h; write it as text`,
      `${own}: registries.server: is not a setting; did you mean \`registries.servers\`?`,
      'command line --log-level: log.level: must be trace, debug, info, warn or error',
      '/etc/slipway/config.d/flux.yaml: gitops.flux.owner: is missing; set it, as provider github needs',
      '/etc/slipway/config.d/flux.yaml: gitops.flux.repository: is missing; set it, as provider github needs',
    ]);
  });

  test.each([
    ['registries: { servers: [https://a.azurecr.io] }', 'registries.servers[0]: must be a bare host name'],
    ['registries: { servers: [a.azurecr.io/b] }', 'registries.servers[0]: must be a bare host name'],
    ['registries: { servers: [A.azurecr.io] }', 'registries.servers[0]: must be a bare host name'],
    ['registries: { servers: a.azurecr.io }', 'registries.servers: must be a list; write it as [value]'],
    [
      'registries: { mirrors: { docker.io: { endpoint: [mirror] } } }',
      'registries.mirrors."docker.io".endpoint[0]: must be a URL',
    ],
    [
      'registries: { mirrors: { "https://docker.io": {} } }',
      'registries.mirrors."https://docker.io": its name must be',
    ],
    ['registries: { schedule: "* * *" }', 'registries.schedule: must be five cron fields'],
    ['registries: { schedule: "60 * * * *" }', 'registries.schedule: must be five cron fields'],
    ['registries: { schedule: "0 8-6 * * *" }', 'registries.schedule: must be five cron fields'],
    ['registries: { schedule: "5/2 * * * *" }', 'registries.schedule: must be five cron fields'],
    ['registries: { schedule: "0 0 31 4,6 *" }', 'registries.schedule: must be five cron fields'],
    ['joinToken: { interval: 9999999999h }', 'joinToken.interval: must be at most 30 days (720h)'],
    ['joinToken: { verifyEvery: 721h }', 'joinToken.verifyEvery: must be at most 30 days (720h)'],
    ['joinToken: { interval: 2592000001ms }', 'joinToken.interval: must be at most 30 days (720h)'],
    ['k3s: { config: { constructor: x } }', 'k3s.config.constructor: is not a key of k3s server'],
    [
      'gitops: { engine: flux, flux: { provider: constructor } }',
      'gitops.flux.provider: must be github, gitlab, gitea, bitbucket-server or git',
    ],
    ['network: { noProxy: ["a\\nEnvironment=X=1"] }', 'network.noProxy[0]: must be a host name'],
    ['network: { noProxy: ["*.example.com"] }', 'network.noProxy[0]: must be a host name'],
    ['network: { noProxy: ["10.0.0.0/33"] }', 'network.noProxy[0]: must be a host name'],
    ['network: { noProxy: ["https://a.example.com"] }', 'network.noProxy[0]: must be a host name'],
    ['network: { caFile: "/etc/ca\\n.pem" }', 'network.caFile: must not hold a line break'],
    ['network: { proxy: "http://a\\0b" }', 'network.proxy: must not hold a line break'],
    ['static: { tags: { a: "b\\tc" } }', 'static.tags.a: must not hold a line break'],
    ['static: { tags: { "a\\eb": c } }', 'static.tags."a\\u001bb": must not hold a line break'],
    ['k3s: { config: { disable: [a, "b\\x7F"] } }', 'k3s.config.disable[1]: must not hold a line break'],
    ['gitops: { flux: { branch: "main\\e[2J" } }', 'gitops.flux.branch: must not hold a line break'],
    [
      'gitops: { flux: { url: "https://example.com/a.git?token=x" } }',
      'gitops.flux.url: must be the https:// URL',
    ],
    ['node: { name: Upper }', 'node.name: must be a Kubernetes node name'],
    ['node: { ip: 10.0.0 }', 'node.ip: must be an IP address'],
    ['node: { labels: [a] }', 'node.labels[0]: must be a label such as'],
    ['node: { labels: ["node-role.kubernetes.io/worker=true"] }', 'node.labels[0]: is a label that kubelet'],
    ['node: { taints: ["a=b:Never"] }', 'node.taints[0]: must be a taint such as'],
    ['k3s: { version: 1.36 }', 'k3s.version: must be a K3s release such as'],
    ['k3s: { version: v1.36.3 }', 'k3s.version: must be a K3s release such as'],
    ['k3s: { channel: newest }', 'k3s.channel: must be a channel of K3s: stable, latest, testing, or a'],
    ['k3s: { version: v1.36.3+k3s1, channel: stable }', 'k3s.version: is set beside k3s.channel'],
    ['k3s: { server: "http://10.0.0.4" }', 'k3s.server: must be a host name'],
    ['k3s: { server: "https://10.0.0.4:6443/x" }', 'k3s.server: must be a host name'],
    ['k3s: { server: "10.0.0.4:99999" }', 'k3s.server: must have a valid address and port'],
    ['k3s: { server: "1:2:3" }', 'k3s.server: must have a valid address and port'],
    ['joinToken: { attempts: 1e300 }', 'joinToken.attempts: must be at most 9007199254740991'],
    ['network: { proxy: "http://me:pw@proxy:3128" }', 'network.proxy: must be a URL'],
    ['joinToken: { interval: 0s }', 'joinToken.interval: must be a duration above zero'],
    ['joinToken: { attempts: 0 }', 'joinToken.attempts: must be above zero'],
    ['joinToken: { attempts: 1.5 }', 'joinToken.attempts: must be a whole number'],
    ['tags: { role: "no" }', 'tags.role: must be true or false, without quotes'],
    ['static: { tags: { k3s-version: 1.36 } }', 'static.tags.k3s-version: must be text; put it in quotes'],
    [
      'static: { registries: { a.io: { username: u } } }',
      'static.registries."a.io".passwordFile: is missing',
    ],
    ['log: loud', 'log: must be a map of keys and values'],
    ['azure: { keyVault: { url: "ftp://x" } }', 'azure.keyVault.url: must be an https:// URL'],
    [
      'gitops: { engine: flux, flux: { provider: git, url: "ssh://git@example.com/a.git", path: a } }',
      'gitops.flux.url: must be the https:// URL',
    ],
    ['version: v1.36.3+k3s1', 'version: is not a setting; did you mean `tags.version`, `k3s.version` or'],
    ['zzzz: 1', 'zzzz: is not a setting; known here: cloud, role, roles, tags,'],
    [
      'imds: { allow: [{ name: a, uid: 1, fron: 10.42.3.7 }] }',
      'imds.allow[0].fron: is not a setting; did you mean `imds.allow[0].from`?',
    ],
    [
      'imds: { allow: [{ name: a, uid: 1, zzzz: 1 }] }',
      'imds.allow[0].zzzz: is not a setting; known here: name, from, uid',
    ],
    [
      'registries: { configs: { a.io: { auth: { pasword: x } } } }',
      'registries.configs."a.io".auth.pasword: is not a setting; did you mean `registries.configs."a.io".auth.password`?',
    ],
    [
      'k3s: { config: { flanel-backend: none } }',
      'k3s.config.flanel-backend: is not a key of k3s server; did you mean `flannel-backend`?',
    ],
    [
      'role: agent\nk3s: { config: { tls-san: [x] } }',
      'k3s.config.tls-san: is a key of k3s server, not of k3s agent',
    ],
    [
      'k3s: { config: { disable: { a: 1 } } }',
      'k3s.config.disable: must be text, a number, true or false, or a list',
    ],
  ])('are reported as one problem with its path: %j', async (yaml, beginning) => {
    const found = await problems(yaml);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`${own}: ${beginning}`);
  });

  test('are reported without quoting a value', async () => {
    const auth = 'auth: { password: 4711, auth: [canary], identity_token: { a: canary }, canary2: canary }';
    const found = await problems(
      `registries: { configs: { a.io: { ${auth} } } }\nnetwork: { proxy: "http://u:canary@p" }`,
    );
    expect(found).toHaveLength(5);
    expect(found.join('\n').replace('canary2', '')).not.toMatch(/canary|4711/);
  });
});

describe('valid settings', () => {
  test.each([
    'node: { labels: ["node.kubernetes.io/pool=a", "topology.kubernetes.io/zone=1", "example.com/x="] }',
    'node: { taints: ["dedicated:NoExecute", "a.io/b=c:PreferNoSchedule"] }',
    'node: { ip: "fd00::1" }',
    'k3s: { server: k3s-server.internal.example:6443 }',
    'k3s: { server: "https://10.0.0.4" }',
    'k3s: { server: "https://[fd00::1]:6443" }',
    'k3s: { server: "fd00::1" }',
    'k3s: { server: "https://k3s.example/" }',
    'k3s: { version: v1.37.0-rc1+k3s1 }',
    'registries: { schedule: "*/15 0,12 1-15 * 7" }',
    'joinToken: { interval: 720h, verifyEvery: 43200m }',
    'network: { noProxy: [a.example.com, LOCALHOST, .example.com, 10.0.0.4, "fd00::1", 10.0.0.0/8, "fd00::/8", "*"] }',
    'registries: { mirrors: { "*": { endpoint: ["http://127.0.0.1:5000"] }, "localhost:5000": {} } }',
    'k3s: { config: { disable: [traefik], kubelet-arg+: max-pods=60, debug: true, v: 3 } }',
    'gitops: { engine: flux, flux: { provider: git, url: "https://git.example.com:2222/a.git", path: ./clusters/a } }',
    'gitops: { flux: { owner: only-prepared } }',
    'cloud: static\nazure: { keyVault: { name: my-vault } }',
  ])('are accepted: %j', async (yaml) => {
    expect(await problems(yaml)).toEqual([]);
  });
});

describe('settings that were already loaded', () => {
  const text = 'k3s: { config: { debug: true, v: 2 } }';

  test.each([
    ['are reused if the files are the same', text, true],
    ['are not reused if a value changes', text.replace('2', '3'), false],
    [
      'are not reused if the order of keys changes, because K3s sees the order',
      text.replace('debug: true, v: 2', 'v: 2, debug: true'),
      false,
    ],
  ])('%s', async (_, now, same) => {
    const before = await loadFiles({ [own]: text });
    const after = await loadFiles({ [own]: now }, { before });
    expect(after === before).toBe(same);
    expect(JSON.stringify(after)).toBe(JSON.stringify(await loadFiles({ [own]: now })));
  });

  test('are not reused if a value changes to one that JSON cannot represent', async () => {
    const before = await loadFiles({ [own]: 'metrics: { listen: null }' });
    await expect(loadFiles({ [own]: 'metrics: { listen: .inf }' }, { before })).rejects.toThrow(
      'metrics.listen',
    );
  });
});
