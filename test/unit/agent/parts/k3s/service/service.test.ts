import { describe, expect, test } from 'vitest';
import type { HostReader } from '../../../../../../src/agent/engine/host.ts';
import type { Resource } from '../../../../../../src/agent/engine/resource.ts';
import type { K3sNode } from '../../../../../../src/agent/node.ts';
import { stamp, startSources } from '../../../../../../src/agent/parts/index.ts';
import { openGate } from '../../../../../../src/agent/parts/k3s/gate.ts';
import { k3sRestart } from '../../../../../../src/agent/parts/k3s/service/restart.ts';
import { k3sService } from '../../../../../../src/agent/parts/k3s/service/service.ts';
import type {
  StartInput,
  StartSources,
} from '../../../../../../src/agent/parts/k3s/service/start-sources.ts';
import { stampStart } from '../../../../../../src/agent/parts/k3s/service/start-stamp.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { file } from '../../../../../../src/agent/resources/file.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, outcome } from '../../../a-node.ts';

const paths = nodePaths('/');
const fatal = 'time="x" level=fatal msg="listen tcp :6443: bind: address already in use"';
const rejected =
  'level=info msg="Waiting to retrieve agent configuration; server is not ready: x/v1-k3s/config: 401 Unauthorized"';

function show(shown: object): string {
  const all = {
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'running',
    NRestarts: '0',
    InvocationID: 'i1',
    ...shown,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

const registriesYaml = "configs:\n  'a.io': { auth: { username: u } }\n";
const provider = 'providers: [{ name: slipway-credential-provider, matchImages: [a.io] }]\n';

/** Starts K3s and restarts it as the plan does: a running K3s is restarted by a Resource of its own. */
function service(
  node: K3sNode,
  sources: StartSources,
  needs: readonly string[],
  written: readonly Resource[] = [],
): Resource {
  const start = k3sService(node, sources, needs, written);
  const restart = k3sRestart(node, { sources, gate: openGate, written }, [start.id]);
  return {
    ...start,
    async check(host) {
      const started = await start.check(host);
      const restarted = started.state === 'InSync' ? await restart.check(host) : started;
      return restarted.state === 'InSync' ? started : restarted;
    },
  };
}

function withServer(registries: object) {
  return aNode('agent', { settings: { registries: { servers: ['a.io'], ...registries } } });
}

function world(shown: object, journal = ''): MemoryHost {
  return memoryHost({
    files: {
      [paths.k3s.config]: 'a',
      [paths.k3s.registries]: registriesYaml,
      [paths.k3s.credentialProvider]: provider,
      [`${paths.k3s.credentialProviderBin}/slipway-credential-provider`]: { content: '', mode: 0o755 },
      [paths.slipway.joinToken]: 't',
    },
  })
    .on({ file: 'k3s', args: ['--version'] }, 'k3s version v1.36.3+k3s1 (abc)\n')
    .on({ file: 'systemctl', args: /^show k3s(-agent)?\.service -p / }, show(shown))
    .on(
      {
        file: 'journalctl',
        args: /^_SYSTEMD_INVOCATION_ID=i1 -u k3s-agent\.service -o cat -n 200 --no-pager$/,
      },
      journal,
    );
}

describe('k3sService', () => {
  test.each([
    ['runs', {}, '', 'InSync'],
    [
      'is not started',
      { ActiveState: 'inactive', SubState: 'dead', InvocationID: '' },
      '',
      'Drifted k3s-agent.service',
    ],
    ['has failed', { ActiveState: 'failed' }, '', 'Drifted k3s-agent.service'],
    ['is about to be restarted', { Job: '123' }, '', 'Waiting ServiceStarting'],
    ['is stopping', { ActiveState: 'deactivating' }, '', 'Waiting ServiceStarting'],
    ['starts', { ActiveState: 'activating', SubState: 'start' }, 'hello', 'Waiting ServiceStarting'],
    [
      'starts, and logs why it does not continue',
      { ActiveState: 'activating', SubState: 'start' },
      rejected,
      'Waiting TokenRejected',
    ],
    [
      'starts, with a job, like every unit of Type=notify',
      { ActiveState: 'activating', SubState: 'start', Job: '123' },
      rejected,
      'Waiting TokenRejected',
    ],
    [
      'keeps exiting',
      { ActiveState: 'activating', SubState: 'auto-restart', NRestarts: '4' },
      fatal,
      'ServiceFailed (time)',
    ],
    [
      'keeps exiting for a known cause',
      { ActiveState: 'activating', SubState: 'auto-restart' },
      'flag provided but not defined: -x',
      'K3sConfigInvalid (person)',
    ],
  ])('reports $3 for a unit that $0', async (_name, shown, journal, expected) => {
    expect(await outcome(k3sService(aNode('agent'), startSources, []), world(shown, journal))).toBe(expected);
  });

  test('quotes the last log line of K3s in its error', async () => {
    const host = world(
      { ActiveState: 'activating', SubState: 'auto-restart', NRestarts: '4', ExecMainStatus: '1' },
      fatal,
    );
    await expect(k3sService(aNode('agent'), startSources, []).check(host)).rejects.toThrow(
      'K3s ended with status 1; systemd starts it again (4 restarts so far). Its last words: "listen tcp :6443: bind: address already in use". See journalctl -u k3s-agent.service.',
    );
  });

  test('is checked again soon while systemd restarts K3s, whatever the cause', async () => {
    const host = world(
      { ActiveState: 'activating', SubState: 'auto-restart' },
      'flag provided but not defined: -x',
    );
    await expect(k3sService(aNode('agent'), startSources, []).check(host)).rejects.toMatchObject({
      endedBy: 'person',
      retry: { longest: 40_000 },
    });
  });

  test.each([
    ['signal', '11', true],
    ['core-dump', '7', true],
    ['signal', '9', false],
    ['exit-code', '11', false],
  ])(
    'advises deleting the unpacked K3s files only after a signal that a truncated program causes: %s %s',
    async (Result, ExecMainStatus, isNamed) => {
      const host = world({ ActiveState: 'activating', SubState: 'auto-restart', Result, ExecMainStatus });
      const error = await k3sService(aNode('agent'), startSources, [])
        .check(host)
        .catch((thrown: Error) => thrown);
      expect(`${error}`.includes('rm -r /var/lib/rancher/k3s/data/')).toBe(isNamed);
    },
  );

  test.each([
    [{ ActiveState: 'inactive' }, 'systemctl start --no-block k3s-agent.service'],
    [{ ActiveState: 'failed' }, 'systemctl start --no-block k3s-agent.service'],
  ])('starts a unit in the state %j without waiting for it', async (shown, command) => {
    const host = world(shown).on({ file: 'systemctl', args: /^start/ });
    const finding = await k3sService(aNode('agent'), startSources, []).check(host);
    if (finding.state === 'Drifted') {
      await finding.drift.remedy(host);
    }
    expect(host.lines().join()).toContain(command);
  });
});

describe('k3sService with k3sRestart', () => {
  const starts = { ActiveState: 'activating', SubState: 'start' };
  const config = paths.k3s.config;
  const token = paths.slipway.joinToken;
  const login = [paths.k3s.registries, "configs: { 'a.io': { auth: { username: v } } }\n"] as const;
  const lasting = [
    paths.k3s.registries,
    `${registriesYaml}  docker.io: { auth: { username: v } }\n`,
  ] as const;
  const mirrors = { 'docker.io': { endpoint: ['https://a.io'] } };

  test.each([
    { name: 'no change', registries: {}, shown: {}, edit: undefined, expected: 'InSync' },
    {
      name: 'a change of config.yaml',
      registries: {},
      shown: {},
      edit: [config, 'b'],
      expected: 'Drifted (non-blocking) config',
    },
    {
      name: 'a change of config.yaml while K3s starts',
      registries: {},
      shown: starts,
      edit: [config, 'b'],
      expected: 'Drifted config',
    },
    {
      name: 'a fresh login',
      registries: { onRotate: 'never' },
      shown: {},
      edit: login,
      expected: 'InSync',
    },
    {
      name: 'a fresh login',
      registries: { onRotate: 'auto' },
      shown: {},
      edit: login,
      expected: 'InSync',
    },
    {
      name: 'a fresh login',
      registries: { onRotate: 'restart' },
      shown: {},
      edit: login,
      expected: 'Drifted (non-blocking) registryLogins',
    },
    {
      name: 'a fresh login for a mirror',
      registries: { onRotate: 'never', mirrors },
      shown: {},
      edit: login,
      expected: 'InSync',
    },
    {
      name: 'a fresh login for a mirror',
      registries: { onRotate: 'auto', mirrors },
      shown: {},
      edit: login,
      expected: 'Drifted (non-blocking) registryLogins',
    },
    {
      name: 'a new login that only containerd has',
      registries: { onRotate: 'never' },
      shown: {},
      edit: lasting,
      expected: 'InSync',
    },
    {
      name: 'a new login that only containerd has',
      registries: { onRotate: 'auto' },
      shown: {},
      edit: lasting,
      expected: 'Drifted (non-blocking) lastingLogins',
    },
    {
      name: 'a new login that only containerd has',
      registries: { onRotate: 'restart' },
      shown: {},
      edit: lasting,
      expected: 'Drifted (non-blocking) registryLogins, lastingLogins',
    },
    {
      name: 'a new token, which a running node does not need',
      registries: {},
      shown: {},
      edit: [token, 'u'],
      expected: 'InSync',
    },
    {
      name: 'a new token while K3s starts',
      registries: {},
      shown: starts,
      edit: [token, 'u'],
      expected: 'Drifted joinToken',
    },
    {
      name: 'a change of config.yaml with the stamp of another start',
      registries: {},
      shown: { InvocationID: 'i2' },
      edit: [config, 'b'],
      expected: 'InSync',
    },
  ] as const)(
    'reports $expected after $name, with registries $registries',
    async ({ registries, shown, edit, expected }) => {
      const host = world(shown);
      await stamp(host, paths, { invocationId: 'i1' });
      if (edit) {
        host.files.write(edit[0], edit[1]);
      }
      expect(await outcome(service(withServer(registries), startSources, []), host)).toBe(expected);
    },
  );

  test('does not restart K3s if the stamp of an older Slipway lacks the input lastingLogins', async () => {
    const host = world({});
    await stamp(host, paths, { invocationId: 'i1' });
    const old = JSON.parse(host.files.text(paths.k3s.stamp) ?? '');
    const { lastingLogins, ...inputs } = old.inputs;
    host.files.write(paths.k3s.stamp, JSON.stringify({ invocationId: 'i1', inputs }));
    host.files.write(...lasting);
    expect(await outcome(service(withServer({ onRotate: 'auto' }), startSources, []), host)).toBe('InSync');
  });

  test.each([
    ['waits until a changed config.yaml is restored', 'a', 'Waiting Blocked'],
    ['restarts K3s if the changed config.yaml is the wanted one', 'b', 'Drifted (non-blocking) config'],
  ])('%s', async (_, content, expected) => {
    const host = world({});
    await stamp(host, paths, { invocationId: 'i1' });
    host.files.write(config, 'b');
    const wanted = file({ path: config, content, condition: 'K3sConfig' });
    expect(await outcome(service(aNode('server'), startSources, [], [wanted]), host)).toBe(expected);
  });

  test.each([
    ['does not block on a pending restart while K3s runs', {}, false],
    ['blocks on a pending restart while K3s starts', starts, true],
  ] as const)('%s', async (_name, shown, blocks) => {
    const host = world(shown);
    await stamp(host, paths, { invocationId: 'i1' });
    host.files.write(config, 'b');
    const finding = await service(aNode('server'), startSources, []).check(host);
    expect(finding.state === 'Drifted' && (finding.drift.blocks ?? true)).toBe(blocks);
  });

  test('restarts K3s after a change of config.yaml without waiting for it', async () => {
    const host = world({}).on({ file: 'systemctl', args: ['restart', '--no-block', 'k3s.service'] });
    await stamp(host, paths, { invocationId: 'i1' });
    host.files.write(config, 'b');
    const finding = await service(aNode('server'), startSources, []).check(host);
    if (finding.state === 'Drifted') {
      await finding.drift.remedy(host);
    }
    expect(host.journal.at(-1)).toMatchObject({ kind: 'run' });
  });
});

describe('an input of a new part', () => {
  const starting = { ActiveState: 'activating', SubState: 'start' };
  const path = '/var/lib/new-part/rules';
  const read = async (host: HostReader) => (await host.readFile(path))?.content ?? '';
  const bring = (input: Partial<StartInput>): StartSources => ({
    ...startSources,
    inputs: [...startSources.inputs, { name: 'newPart', text: read, ...input }],
  });

  test.each([
    ['restarts a running K3s after a change', {}, {}, 'Drifted (non-blocking) newPart'],
    ['restarts a starting K3s after a change', {}, starting, 'Drifted newPart'],
    ['does not restart K3s while the input is not valid', { isFit: async () => false }, {}, 'InSync'],
    [
      'does not restart K3s if only the form of the input has changed',
      { formerly: async () => 'a' },
      {},
      'InSync',
    ],
    [
      'does not restart a running K3s if only a start needs the input',
      { onlyWhileStarting: true },
      {},
      'InSync',
    ],
    ['does not restart K3s while the input is unknown', { text: async () => undefined }, {}, 'InSync'],
  ] as const)('%s', async (_, input, shown, expected) => {
    const sources = bring(input);
    const host = world(shown);
    host.files.write(path, 'a');
    await stampStart(host, paths, sources, 'i1');
    host.files.write(path, 'b');
    expect(await outcome(service(aNode('server'), sources, []), host)).toBe(expected);
  });

  test('does not restart K3s if the stamp lacks the input', async () => {
    const host = world({});
    await stamp(host, paths, { invocationId: 'i1' });
    expect(await outcome(service(aNode('server'), bring({}), []), host)).toBe('InSync');
  });
});

describe('the message about a running K3s', () => {
  test.each([
    [['a.io'], /^K3s runs; it is not known what this start was given, /],
    [[], /^K3s runs$/],
  ])(
    'mentions the unknown inputs of a start without a stamp only if the settings name login servers: %j',
    async (servers, expected) => {
      const finding = await k3sService(withServer({ servers }), startSources, []).check(world({}));
      expect(finding).toEqual({ state: 'InSync', message: expect.stringMatching(expected) });
    },
  );

  test.each([
    `${paths.k3s.agent}/images/x.txt/a`,
    `${paths.k3s.config}.d/x.yaml/a`,
    `${paths.k3s.agent}/etc/containerd/config.toml/a`,
  ])('ignores a folder whose path should be a file: %s', async (path) => {
    const host = world({});
    await stamp(host, paths, { invocationId: 'i1' });
    host.files.write(path, '');
    const finding = await k3sService(withServer({}), startSources, []).check(host);
    expect(finding).toEqual({ state: 'InSync', message: 'K3s runs' });
  });

  const mirrors = { 'docker.io': { endpoint: ['https://a.io'] } };
  const why = 'docker.io is mirrored by a.io';
  const auto = 'set registries.onRotate to auto, and K3s is restarted for that';
  const changed =
    'a login that only containerd has was changed, and it keeps the old one until the next start of K3s';
  const kept = `containerd keeps the registry logins of its start for pulls that get none from kubelet: ${why}`;
  const token = `h.${Buffer.from('{"iat":1000,"exp":11800,"aud":"a.io"}').toString('base64url')}.s`;
  const withEnd = `configs: { 'a.io': { auth: { username: u, password: ${token} } } }\n`;
  const lasting = `${registriesYaml}  docker.io: { auth: { username: v } }\n`;

  test.each([
    {
      onRotate: 'never',
      settings: {},
      logins: 'the same logins',
      before: registriesYaml,
      after: registriesYaml,
      expected: 'K3s runs',
    },
    {
      onRotate: 'auto',
      settings: {},
      logins: 'the same logins',
      before: registriesYaml,
      after: registriesYaml,
      expected: 'K3s runs',
    },
    {
      onRotate: 'auto',
      settings: { mirrors },
      logins: 'the same logins',
      before: registriesYaml,
      after: registriesYaml,
      expected: `K3s runs; restarted at each rotation, because ${why}`,
    },
    {
      onRotate: 'restart',
      settings: { mirrors },
      logins: 'the same logins',
      before: registriesYaml,
      after: registriesYaml,
      expected: 'K3s runs',
    },
    {
      onRotate: 'never',
      settings: { mirrors },
      logins: 'the same logins',
      before: registriesYaml,
      after: registriesYaml,
      expected: `K3s runs; ${kept}; ${auto}`,
    },
    {
      onRotate: 'never',
      settings: { mirrors },
      logins: 'a renewed login',
      before: withEnd,
      after: registriesYaml,
      expected: `K3s runs; ${kept}; ${auto}`,
    },
    {
      onRotate: 'never',
      settings: {},
      logins: 'a new login that only containerd has',
      before: registriesYaml,
      after: lasting,
      expected: `K3s runs; ${changed}; ${auto}`,
    },
    {
      onRotate: 'never',
      settings: { mirrors },
      logins: 'a renewed login and a new one that only containerd has',
      before: withEnd,
      after: lasting,
      expected: `K3s runs; ${kept}; ${changed}; ${auto}`,
    },
  ])(
    'with onRotate $onRotate, $settings and $logins is: $expected',
    async ({ onRotate, settings, before, after, expected }) => {
      const host = world({});
      host.files.write(paths.k3s.registries, before);
      await stamp(host, paths, { invocationId: 'i1' });
      host.files.write(paths.k3s.registries, after);
      const finding = await k3sService(withServer({ onRotate, ...settings }), startSources, []).check(host);
      expect(finding).toEqual({ state: 'InSync', message: expected });
    },
  );
});
