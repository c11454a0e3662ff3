import { describe, expect, test } from 'vitest';
import { actingMemory } from '../../../../src/agent/acting.ts';
import { type Attempts, reconcile } from '../../../../src/agent/engine/reconcile.ts';
import type { Outcome, Resource } from '../../../../src/agent/engine/resource.ts';
import { recordingHost } from '../../../../src/agent/host/recording/recording-host.ts';
import { nodeResources } from '../../../../src/agent/parts/index.ts';
import { turnMemory } from '../../../../src/agent/parts/maintenance/index.ts';
import { roles } from '../../../../src/roles/index.ts';
import type { Role } from '../../../../src/roles/role.ts';
import { FakeCloud } from '../../../lab/fake-cloud.ts';
import type { MemoryHost } from '../../../lab/memory-host.ts';
import { isMoving } from '../../../lab/memory-jobs.ts';
import { aMachine } from '../a-machine.ts';
import { aNode, type NodeChanges, outcome, type RoleName } from '../a-node.ts';

const hour = 3_600_000;
/** The setting that turns off the guard of the metadata service, which imds-guard.test.ts covers. */
const imds = { pods: 'allow' };
/** The memory of the machine in megabytes. */
const memory = 8_192;
const registry = 'myteam.azurecr.io';
const rotateAt = (after: number) => after + 2 * hour;

function plan(
  role: RoleName | Role,
  clock: MemoryHost | undefined,
  changes: NodeChanges = {},
): readonly Resource[] {
  const cloud = new FakeCloud({
    secrets: { 'k3s-token': 'swordfish' },
    registries: [registry],
    ...(clock && { clock }),
  });
  const settings = {
    ...changes.settings,
    imds,
    registries: { servers: [registry], ...changes.settings?.registries },
  };
  return nodeResources(aNode(role, { ...changes, settings }), {
    cloud,
    rotateAt,
    memory,
    turns: turnMemory(),
    acting: actingMemory(),
    // There is no API here in which a node could take its turn.
    isByPerson: true,
  });
}

/** Runs passes until one changes nothing, and returns the outcomes of the last pass. Throws after ten passes. */
async function converge(resources: readonly Resource[], host: MemoryHost): Promise<readonly Outcome[]> {
  const attempts: Attempts = new Map();
  for (let pass = 0; pass < 10; pass += 1) {
    const outcomes = await reconcile(resources, { host, attempts, random: 0.5 });
    if (!outcomes.some(isMoving)) {
      return outcomes;
    }
    host.advance(0);
  }
  throw new Error('it does not converge');
}

function troubles(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes
    .filter(({ state }) => state !== 'InSync')
    .map((outcome) => `${outcome.resource.id} ${outcome.state} ${'reason' in outcome ? outcome.reason : ''}`);
}

test('the plan of an observability node contains its Resources in the order of a first boot', () => {
  expect(plan('observability', undefined).map(({ id }) => id)).toEqual([
    'Cgroups',
    'Directories',
    'Mounts',
    'Memory',
    'ImageRules',
    'Nat/none',
    'ImdsGuard/none',
    'Events/cloud',
    'Consent/role',
    'Config/overrides',
    'File//etc/modules-load.d/slipway-k3s.conf',
    'File//etc/sysctl.d/90-slipway-k3s.conf',
    'Kernel/modules',
    'Kernel/sysctl',
    'Executable/k3s',
    'Link//usr/local/bin/kubectl',
    'Link//usr/local/bin/crictl',
    'Link//usr/local/bin/ctr',
    'Upgrade/fetched',
    'Upgrade/turn',
    'Upgrade/replaced',
    'File//usr/local/bin/k3s-killall.sh',
    'File//usr/local/bin/k3s-agent-uninstall.sh',
    'Credential/join-token',
    'Credential/ca-pin',
    'Consent/server',
    'Removed//etc/rancher/k3s/config.yaml.d/10-slipway-datastore.yaml',
    'File//etc/rancher/k3s/config.yaml',
    'Credential/registries',
    'JudgedLogins/registries',
    'File//etc/rancher/k3s/registries.yaml',
    'Removed//run/slipway/registry-logins.json',
    'File//var/lib/rancher/credentialprovider/bin/slipway-credential-provider',
    'File//var/lib/slipway/credential-provider.yaml',
    'File//var/lib/rancher/credentialprovider/config.yaml',
    'File//etc/systemd/system/k3s-agent.service',
    'UnitLoaded/k3s-agent.service',
    'Server/token',
    'Server/release',
    'UnitEnabled/k3s-agent.service',
    'Service/k3s',
    'Service/restart',
    'Adoption/start',
    'Adoption/refresh-acr-credentials',
    'Node/ready',
    'Upgrade/verified',
    'Hold/node',
    'Hold/annotation',
    'Node/vm-id',
    'Node/uncordoned',
    'Credential/joined-ca-pin',
    'Node/taints',
    'Certificates/k3s',
    'Turn/ended',
    'Reboot/machine',
    'PullProof/myteam.azurecr.io',
    'ContainerdLogins/k3s',
  ]);
});

describe.each(roles)('the plan of role $name', (role) => {
  const machine = () => aMachine(role.k3s);

  test('has unique ids, and lists each Resource after those that it needs', () => {
    const seen = new Set<string>();
    for (const { id, needs = [] } of plan(role, undefined)) {
      expect(seen.has(id)).toBe(false);
      expect(needs.filter((need) => !seen.has(need))).toEqual([]);
      seen.add(id);
    }
  });

  test('starts K3s once at a first boot, and changes nothing in the next pass', async () => {
    const { host, log } = machine();
    const outcomes = await converge(plan(role, host), host);
    expect(troubles(outcomes)).toEqual(role.taints.length > 0 ? ['Node/taints Failed TaintNotApplied'] : []);
    expect(log).toEqual(['start']);
    const { length } = host.journal;
    await converge(plan(role, host), host);
    expect(host.journal.length).toBe(length);
  });

  test('recovers from a crash before each mutation, and does not start K3s twice', async () => {
    const { host: whole } = machine();
    await converge(plan(role, whole), whole);
    for (let mutation = 1; mutation <= whole.mutations; mutation += 1) {
      const { host, log } = machine();
      host.crashBefore(mutation);
      await reconcile(plan(role, host), { host, attempts: new Map(), random: 0.5 }).catch(() => undefined);
      const outcomes = await converge(plan(role, host.restart()), host);
      expect(troubles(outcomes).filter((trouble) => !trouble.startsWith('Node/taints'))).toEqual([]);
      expect(log).toEqual(['start']);
    }
  });

  test('changes nothing and fetches nothing in a dry run', async () => {
    const { host } = machine();
    const dry = recordingHost(host);
    const outcomes = await reconcile(plan(role, host), { host: dry, attempts: new Map(), random: 0.5 });
    expect(host.journal).toEqual([]);
    expect(dry.journal.length).toBeGreaterThan(5);
    expect(outcomes.map(({ state }) => state)).not.toContain('Failed');
  });

  test.each([
    ['restarts K3s after a rotation with onRotate restart', 'restart', ['start', 'restart']],
    ['does not restart K3s after a rotation with onRotate never', 'never', ['start']],
  ])('%s', async (_, onRotate, expected) => {
    const { host, log } = machine();
    const resources = plan(role, host, { settings: { registries: { onRotate } } });
    await converge(resources, host);
    host.advance(2 * hour);
    await converge(resources, host);
    expect(log).toEqual(expected);
  });

  test('restarts K3s once after an edit of the settings', async () => {
    const { host, log } = machine();
    await converge(plan(role, host), host);
    const mirrors = { 'docker.io': { endpoint: ['https://mirror.gcr.io'] } };
    const edited = plan(role, host, {
      settings: { node: { labels: ['a=b'] }, registries: { mirrors, onRotate: 'never' } },
    });
    await converge(edited, host);
    expect(log).toEqual(['start', 'restart']);
  });

  test('keeps K3s running while the cloud does not answer, and applies the changes that need no cloud', async () => {
    const { host, log } = machine();
    await converge(plan(role, host), host);
    host.advance(30 * hour);
    const away = new FakeCloud();
    const settings = { imds, registries: { servers: [registry] }, node: { labels: ['a=b'] } };
    const resources = nodeResources(aNode(role, { settings }), {
      cloud: away,
      rotateAt,
      memory,
      turns: turnMemory(),
      acting: actingMemory(),
      isByPerson: true,
    });
    const outcomes = await converge(resources, host);
    expect(troubles(outcomes)).toContain('Credential/registries Waiting RegistryUnauthorized');
    expect(troubles(outcomes).filter((trouble) => /Blocked/.test(trouble))).toEqual([]);
    expect(log).toEqual(['start', 'restart']);
  });
});

test('the service of K3s waits for all files that K3s reads when it starts', () => {
  const settings = { joinToken: { agentSecretName: 'k3s-agent-token' } };
  const needs = plan('server', undefined, { settings }).find(({ id }) => id === 'Service/k3s')?.needs;
  expect(needs).toEqual([
    'File//etc/modules-load.d/slipway-k3s.conf',
    'File//etc/sysctl.d/90-slipway-k3s.conf',
    'Kernel/modules',
    'Kernel/sysctl',
    'Executable/k3s',
    'Credential/join-token',
    'File//etc/rancher/k3s/config.yaml',
    'Credential/agent-token',
    'Removed//etc/rancher/k3s/config.yaml.d/10-slipway-datastore.yaml',
    'File//etc/rancher/k3s/registries.yaml',
    'File//var/lib/rancher/credentialprovider/bin/slipway-credential-provider',
    'File//var/lib/slipway/credential-provider.yaml',
    'File//var/lib/rancher/credentialprovider/config.yaml',
    'File//etc/systemd/system/k3s.service',
    'UnitLoaded/k3s.service',
  ]);
});

test.each([
  ['the configuration of K3s', '/etc/rancher/k3s/config.yaml', /^node-name: .*/m, 'node-name: by-hand'],
  [
    "the configuration of kubelet's credential provider",
    '/var/lib/rancher/credentialprovider/config.yaml',
    /defaultCacheDuration: .*/,
    'defaultCacheDuration: "1h"',
  ],
  ['the unit of K3s', '/etc/systemd/system/k3s.service', /^KillMode=/m, 'Environment=BY=hand\n$&'],
])('K3s does not restart because of an edit of %s during a pass', async (_, path, found, replaced) => {
  const { host } = aMachine('server');
  const resources = plan('server', host);
  await converge(resources, host);
  const { content = '', mode } = host.files.read(path) ?? {};
  host.files.write(path, content.replace(found, replaced), mode);
  expect(host.files.text(path)).not.toBe(content);
  const restart = resources.find(({ id }) => id === 'Service/restart');
  expect(restart && (await outcome(restart, host))).toBe('Waiting Blocked');
});

test('K3s does not start on an agent before the server is up', async () => {
  const { host, log } = aMachine('agent');
  host.onGet(/\/ping$/, { status: 503 });
  const outcomes = await converge(plan('agent', host), host);
  expect(troubles(outcomes)).toEqual([
    'Server/token Waiting ServerNotReady',
    'Server/release Blocked ',
    'UnitEnabled/k3s-agent.service Blocked ',
    'Service/k3s Blocked ',
    'Service/restart Blocked ',
    'Adoption/start Blocked ',
    'Node/ready Blocked ',
    'Hold/annotation Blocked ',
    'Node/vm-id Blocked ',
    'Node/uncordoned Blocked ',
    'Certificates/k3s Blocked ',
    'Turn/ended Blocked ',
  ]);
  expect(log).toEqual([]);
});

test('K3s does not start on an agent whose server is unknown', async () => {
  const { host, log } = aMachine('agent');
  const outcomes = await converge(plan('agent', host, { server: undefined }), host);
  expect(troubles(outcomes).slice(0, 2)).toEqual([
    'Server/token Waiting ServerUnknown',
    'Server/release Blocked ',
  ]);
  expect(log).toEqual([]);
});

test('an agent that joins during a pass pins the CA at the end of the pass', async () => {
  const { host, log } = aMachine('agent');
  const attempts: Attempts = new Map();
  await reconcile(plan('agent', host), { host, attempts, random: 0.5 });
  host.advance(0);
  expect(log).toEqual([]);
  await reconcile(plan('agent', host), { host, attempts, random: 0.5 });
  expect(log).toEqual(['start']);
  expect(host.files.text('/var/lib/slipway/join-token')).toMatch(/^K10[0-9a-f]{64}::node:swordfish\n$/);
});
