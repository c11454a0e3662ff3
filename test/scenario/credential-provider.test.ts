import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { parseLogins, usableLogin } from '../../src/agent/parts/registry/answer/logins.ts';
import { renderLogins } from '../../src/agent/parts/registry/login-store.ts';
import { namesOf, roles } from '../../src/roles/index.ts';
import { datedToken } from '../lab/fake-cloud.ts';
import { booted, condition, isReady, live, noRestarts, registry, type Vm, vm } from './a-vm.ts';

const minute = 60_000;
const hour = 60 * minute;

const config = '/var/lib/rancher/credentialprovider/config.yaml';
const plugin = '/var/lib/rancher/credentialprovider/bin/slipway-credential-provider';
const settings = '/var/lib/slipway/credential-provider.yaml';
const store = '/var/lib/slipway/logins.json';
const registries = '/etc/rancher/k3s/registries.yaml';

const foreign = `apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: theirs
    matchImages: ["*.example.com"]
    defaultCacheDuration: 1h
    apiVersion: credentialprovider.kubelet.k8s.io/v1
`;

/** Returns the login that kubelet would get from the login store now; `undefined` if none is usable. */
function answer({ host }: Vm) {
  return usableLogin(parseLogins(host.files.text(store) ?? ''), registry, host.now());
}

function writtenPassword({ host }: Vm): string {
  return parse(host.files.text(registries) ?? '').configs[registry].auth.password;
}

/** Returns the mutations of the files at `paths` in order, each as `kind path`. */
function done({ host }: Vm, ...paths: readonly string[]): readonly string[] {
  return host.journal.flatMap((action) =>
    'path' in action && paths.includes(action.path) ? [`${action.kind} ${action.path}`] : [],
  );
}

describe.each(namesOf(roles))('the credential provider on a node with the role %s', (role) => {
  test('is complete before the first start of K3s, and K3s starts only once', async () => {
    const machine = vm(role, noRestarts);
    const report = await live(machine.slipway(), machine, minute, isReady);
    expect(condition(report, 'CredentialProvider')).toBe('True InSync');
    expect(machine.matchImages).toEqual([registry]);
    expect(machine.units.starts).toBe(1);
    expect(answer(machine)?.password).toBe(writtenPassword(machine));
  });

  test('is installed on a running node with only one restart of K3s', async () => {
    const { machine } = await booted(role);
    for (const path of [config, plugin, settings, store]) {
      machine.host.files.remove(path);
    }
    await machine.reboot();
    machine.host.advance(minute);
    const before = machine.units.starts;
    expect(machine.matchImages).toEqual([]);
    await live(machine.slipway(), machine, hour);
    expect(machine.units.starts).toBe(before + 1);
    expect(machine.matchImages).toEqual([registry]);
  });
});

test('the login store has the current login after each rotation, and K3s does not restart', async () => {
  const { machine, slipway } = await booted('agent');
  const seen = new Set<string>();
  for (let half = 0; half < 9; half += 1) {
    await live(slipway, machine, hour / 2);
    expect(answer(machine)?.password).toBe(writtenPassword(machine));
    seen.add(writtenPassword(machine));
  }
  expect(seen.size).toBe(1 + 2);
  expect(machine.units.starts).toBe(1);
});

test('a login that the credential provider fetched is kept until the daemon has a newer login', async () => {
  const { machine, slipway } = await booted('agent');
  machine.cloud.fail('registryPassword', new NodeError('RegistryUnavailable', 'It answers 503.'));
  machine.host.advance(2 * hour);
  await live(slipway, machine, 10 * minute);
  machine.host.advance(hour);
  await live(slipway, machine, 5 * minute);
  expect(answer(machine)).toBeUndefined();
  const receivedAt = machine.host.now();
  const password = datedToken(receivedAt, 3 * hour, 'fetched');
  const fetched = { username: 'fake-user', password, receivedAt, until: receivedAt + 3 * hour };
  machine.host.files.write(store, renderLogins({ [registry]: fetched }).reveal(), 0o600);
  await live(slipway, machine, 15 * minute);
  expect(answer(machine)).toEqual(fetched);
  expect(writtenPassword(machine)).toBe(password);
  machine.cloud.heal();
  await live(slipway, machine, 3 * hour);
  expect(answer(machine)?.password).not.toBe(password);
  expect(answer(machine)?.password).toBe(writtenPassword(machine));
});

test('a reboot does not change the login store', async () => {
  const { machine } = await booted('agent');
  const before = answer(machine);
  const { length } = machine.cloud.calls;
  await machine.reboot();
  expect(answer(machine)).toEqual(before);
  await machine.slipway().pass();
  expect(answer(machine)).toEqual(before);
  expect(machine.cloud.calls.slice(length)).not.toContain(`registryPassword ${registry}`);
});

test.each([
  ['removed', (machine: Vm, path: string) => machine.host.files.remove(path)],
  ['edited', (machine: Vm, path: string) => machine.host.files.write(path, '# Written by Slipway, once\n')],
  [
    'replaced by a link',
    (machine: Vm, path: string) => machine.host.files.link(path, '/usr/local/bin/slipway'),
  ],
])(
  'a file of the credential provider that was %s by hand is restored, and K3s is not restarted',
  async (_, harm) => {
    const { machine, slipway } = await booted('server');
    const files = [plugin, settings, config] as const;
    const before = files.map((path) => machine.host.files.read(path)?.content);
    for (const path of files) {
      harm(machine, path);
    }
    const report = await live(slipway, machine, 6 * minute, isReady);
    expect(report.outcomes.filter(({ state }) => state !== 'InSync')).toEqual([]);
    expect(files.map((path) => machine.host.files.read(path)?.content)).toEqual(before);
    expect(files.map((path) => machine.host.files.stat(path)?.kind)).toEqual(['file', 'file', 'file']);
    expect(machine.units.starts).toBe(1);
  },
);

test('the provider configuration is not written without the plugin, and K3s keeps running', async () => {
  const { machine, slipway } = await booted('agent');
  for (const path of [plugin, config]) {
    machine.host.files.remove(path);
  }
  machine.host.failWrite(plugin, 'EROFS');
  const report = await live(slipway, machine, 10 * minute);
  expect(condition(report, 'CredentialProvider')).toBe('False ReadOnly');
  expect(condition(report, 'NodeReady')).toBe('True InSync');
  expect(machine.host.files.stat(config)).toBeUndefined();
  expect(machine.units.failing).toBeUndefined();
  machine.host.heal(plugin);
  expect(condition(await live(slipway, machine, 15 * minute), 'CredentialProvider')).toBe('True InSync');
  expect(machine.matchImages).toEqual([registry]);
});

test('the provider configuration is removed, without a restart of K3s, if a lost plugin cannot be restored', async () => {
  const { machine, slipway } = await booted('agent');
  machine.host.files.remove(plugin);
  machine.host.failWrite(plugin, 'ENOSPC');
  await live(slipway, machine, 10 * minute);
  expect(machine.host.files.stat(config)).toBeUndefined();
  machine.host.heal(plugin);
  await live(slipway, machine, 15 * minute, isReady);
  expect(machine.host.files.stat(config)?.kind).toBe('file');
  expect(machine.units.starts).toBe(1);
});

describe('a credential provider that another tool configured', () => {
  function withTheirs(): Vm {
    const machine = vm('agent', noRestarts);
    machine.host.files.write(config, foreign);
    machine.host.files.write('/var/lib/rancher/credentialprovider/bin/theirs', '#!/bin/sh\n', 0o755);
    return machine;
  }

  test('is kept and reported, and the node stays Ready', async () => {
    const machine = withTheirs();
    const report = await live(machine.slipway(), machine, 10 * minute);
    expect(condition(report, 'CredentialProvider')).toBe('False ProviderNotOurs');
    expect(condition(report, 'NodeReady')).toBe('True InSync');
    expect(condition(report, 'Ready')).toBe('True ProviderNotOurs');
    expect(machine.host.files.text(config)).toBe(foreign);
    expect(machine.matchImages).toEqual(['*.example.com']);
    expect(machine.units.starts).toBe(1);
  });

  test('is replaced once its configuration is moved away', async () => {
    const machine = withTheirs();
    const slipway = machine.slipway();
    await live(slipway, machine, 10 * minute);
    machine.host.files.rename(config, `${config}.theirs`);
    const report = await live(slipway, machine, 15 * minute, isReady);
    expect(condition(report, 'CredentialProvider')).toBe('True InSync');
    expect(machine.matchImages).toEqual([registry]);
    expect(machine.units.starts).toBe(2);
  });

  test('is kept if the settings name no registry', async () => {
    const machine = withTheirs();
    machine.host.files.write('/etc/slipway/config.d/none.yaml', 'registries: { servers: [] }\n');
    const report = await live(machine.slipway(), machine, minute, isReady);
    expect(condition(report, 'CredentialProvider')).toBe('True InSync');
    expect(machine.host.files.text(config)).toBe(foreign);
  });
});

describe('settings that no longer name a login server', () => {
  function emptied(machine: Vm): void {
    machine.host.files.write('/etc/slipway/config.d/none.yaml', 'registries: { servers: [] }\n');
  }

  test('remove the provider configuration first, restart K3s once, and keep the plugin', async () => {
    const { machine, slipway } = await booted('agent');
    emptied(machine);
    const { length } = done(machine, config, store, settings, plugin);
    const report = await live(slipway, machine, 10 * minute, isReady);
    expect(done(machine, config, store, settings, plugin).slice(length)).toEqual([
      `remove ${config}`,
      `remove ${store}`,
      `remove ${settings}`,
    ]);
    expect(condition(report, 'CredentialProvider')).toBe('True InSync');
    expect(machine.host.files.stat(plugin)?.kind).toBe('file');
    expect(machine.matchImages).toEqual([]);
    expect(machine.units.starts).toBe(2);
  });

  test('remove the provider configuration and the login store, even after a crash before any step', async () => {
    for (let mutation = 1; mutation <= 4; mutation += 1) {
      const { machine, slipway } = await booted('agent');
      emptied(machine);
      machine.host.restart();
      machine.host.crashBefore(mutation);
      await live(slipway, machine, 10 * minute).catch(() => undefined);
      expect(machine.host.crashed).toBe(true);
      machine.host.restart();
      await machine.reboot();
      const report = await live(machine.slipway(), machine, 10 * minute, isReady);
      expect(report.outcomes.filter(({ state }) => state !== 'InSync')).toEqual([]);
      expect(machine.host.files.stat(config)).toBeUndefined();
      expect(machine.host.files.stat(store)).toBeUndefined();
      expect(machine.matchImages).toEqual([]);
    }
  });
});
