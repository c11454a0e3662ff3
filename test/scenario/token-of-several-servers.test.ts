import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/agent/engine/digest.ts';
import { basicAuth } from '../../src/agent/parts/k3s/membership/token.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { memoryEtcd } from '../lab/memory-k3s-snapshots.ts';
import { condition, isReady, live, type Vm, vm } from './a-vm.ts';
import { etcd, withPeer } from './founding-kinds.ts';
import { ca, joinToken } from './world.ts';

const minute = 60_000;
const tokenFile = '/var/lib/slipway/join-token';
const serverToken = '/var/lib/rancher/k3s/server/token';
const backup = '/var/lib/slipway/backup';
const passwd = '/var/lib/rancher/k3s/server/cred/passwd';
const next = 'second-token-canary-55d1';
const consent = `consent: { tokenChange: ["${sha256(next).slice(0, 12)}"] }\n`;

/** Boots one of several servers, which has consent to the next token. */
async function oneOfSeveral(settings = `${etcd}${consent}`): Promise<Vm> {
  const machine = vm('server', settings);
  withPeer(machine);
  await live(machine.slipway(), machine, 2 * minute, isReady);
  machine.host.files.write('/var/lib/rancher/k3s/server/tls/server-ca.crt', ca);
  return machine;
}

/** Gives the server an etcd with another member, which K3s can save. */
function withEtcd({ host }: Vm): void {
  const model = memoryEtcd(host, nodePaths('/'), 'server-1');
  model.password = joinToken;
  model.revisions = ['/bootstrap/0123456789ab', '/registry/nodes/server-1'];
  model.members = [...model.members, { name: 'server-2-4e5f6a7b' }];
}

/** Makes K3s store a new token, as `k3s token rotate` does. */
async function rotateByHand({ host }: Vm): Promise<void> {
  const { status } = await host.send({
    method: 'PUT',
    url: 'https://127.0.0.1:6443/v1-k3s/token',
    headers: { authorization: basicAuth('server', joinToken) },
    body: JSON.stringify({ newToken: next }),
  });
  expect(status).toBe(200);
}

/** Rotates the token on another server: the datastore has the new token, and the files of this server the old one. */
async function rotateElsewhere(machine: Vm): Promise<void> {
  const { files } = machine.host;
  const kept = [serverToken, passwd].map((path) => [path, files.text(path) ?? ''] as const);
  await rotateByHand(machine);
  for (const [path, text] of kept) {
    files.write(path, text, 0o600);
  }
  machine.cloud.secrets.set('k3s-token', next);
}

/** Shows in the Lease that another server has made the datastore belong to the next token. */
function showStored({ kubernetes }: Vm): void {
  const lease = kubernetes.objects.get('leases.coordination.k8s.io', 'kube-system', 'slipway-turns');
  const [from, to] = [joinToken, next].map((token) => sha256(token).slice(0, 12));
  const annotations = {
    'slipway.dev/token-rotation': JSON.stringify({ node: 'server-2', from, to, stored: true }),
  };
  kubernetes.objects.put('leases.coordination.k8s.io', 'kube-system', {
    ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec: {} },
    ...lease,
    metadata: { name: 'slipway-turns', namespace: 'kube-system', ...lease?.metadata, annotations },
  });
}

function notice({ kubernetes }: Vm): string | undefined {
  const lease = kubernetes.objects.get('leases.coordination.k8s.io', 'kube-system', 'slipway-turns');
  return Object(lease?.metadata.annotations)['slipway.dev/token-rotation'];
}

function state({ host }: Vm): string | undefined {
  return JSON.parse(host.files.text('/var/lib/slipway/token-rotation.json') ?? '{}').state;
}

/** Checks that K3s runs with the next token, also after a reboot, and that Slipway agrees with the vault. */
async function expectNext(machine: Vm): Promise<void> {
  await machine.reboot();
  const report = await live(machine.slipway(), machine, 130 * minute);
  expect([condition(report, 'NodeReady'), condition(report, 'JoinToken')]).toEqual([
    'True InSync',
    'True InSync',
  ]);
  expect([machine.passwords.accepts(next), machine.passwords.belongsTo(next)]).toEqual([true, true]);
  expect(machine.host.files.text(tokenFile)).toBe(`${next}\n`);
}

test('a new server joins with the former token during a rotation, and takes the new one once the datastore has it', async () => {
  const machine = vm('server', `${etcd}joinToken: { verifyEvery: 5m }\n`);
  withPeer(machine);
  machine.cloud.secrets.set('k3s-token', next);
  const slipway = machine.slipway();
  await live(slipway, machine, 2 * minute, isReady);
  expect([machine.peer.ways, machine.host.files.text(tokenFile)]).toEqual([['joined'], `${joinToken}\n`]);
  expect(JSON.stringify(machine.host.journal)).not.toMatch(/join-token-canary|second-token-canary/);
  machine.host.files.write('/var/lib/rancher/k3s/server/tls/server-ca.crt', ca);
  await rotateElsewhere(machine);
  showStored(machine);
  await live(slipway, machine, 10 * minute, () => state(machine) === 'done');
  await expectNext(machine);
});

test('a new server waits during a rotation while a running server cannot let it join with the token of the datastore', async () => {
  const machine = vm('server', etcd);
  withPeer(machine);
  machine.peer.rotates = true;
  machine.cloud.secrets.set('k3s-token', next);
  const slipway = machine.slipway();
  const report = await live(slipway, machine, 5 * minute);
  expect([condition(report, 'Role'), machine.peer.ways]).toEqual(['False TokenRejected', []]);
  machine.peer.cluster = { token: next, ca };
  await live(slipway, machine, 15 * minute, isReady);
  expect([machine.peer.ways, machine.host.files.text(tokenFile)]).toEqual([['joined'], `${next}\n`]);
});

describe('one of several servers', () => {
  test('changes nothing without a consent, which it explains', async () => {
    const machine = await oneOfSeveral(etcd);
    machine.cloud.secrets.set('k3s-token', next);
    const report = await live(machine.slipway(), machine, 5 * 60 * minute);
    expect([condition(report, 'JoinToken'), condition(report, 'Ready')]).toEqual([
      'False TokenChanged',
      'True TokenChanged',
    ]);
    expect([machine.passwords.rotations, machine.units.starts]).toEqual([0, 1]);
    expect(machine.host.lines().filter((line) => /^send PUT .*v1-k3s\/token/.test(line))).toEqual([]);
    expect(machine.host.files.text(tokenFile)).toBe(`${joinToken}\n`);
  });

  test('rotates the token with consent while it acts for the cluster, and then removes the notice', async () => {
    const machine = await oneOfSeveral();
    machine.cloud.secrets.set('k3s-token', next);
    const slipway = machine.slipway();
    await live(slipway, machine, 180 * minute, () => state(machine) === 'done');
    expect([machine.passwords.rotations, machine.units.starts]).toEqual([1, 2]);
    await live(slipway, machine, 10 * minute);
    expect(notice(machine)).toBe('');
    await expectNext(machine);
    expect(JSON.stringify(machine.host.journal)).not.toMatch(/join-token-canary|second-token-canary/);
  });

  test('copies etcd, and proves the copy, before it asks K3s to store the token', async () => {
    const machine = await oneOfSeveral();
    withEtcd(machine);
    machine.cloud.secrets.set('k3s-token', next);
    await live(machine.slipway(), machine, 180 * minute, () => state(machine) === 'done');
    const digest = sha256(next).slice(0, 12);
    const names = machine.host.files.list(backup).filter((name) => name.endsWith('.json'));
    const reasons = names.map(
      (name) => JSON.parse(machine.host.files.text(`${backup}/${name}`) ?? '{}').reason,
    );
    expect(reasons).toEqual([`token ${digest}`]);
    const lines = machine.host.lines();
    const [copied, asked] = [/etcd-.*\.json/, /^send PUT .*v1-k3s\/token/].map((what) =>
      lines.findIndex((line) => what.test(line)),
    );
    expect(copied).toBeGreaterThan(-1);
    expect(asked).toBeGreaterThan(copied ?? 0);
  });

  test.each(['a consent', 'no consent'])(
    'takes the token that another server has stored, without a request of its own, with %s',
    async (consented) => {
      const machine = await oneOfSeveral(consented === 'a consent' ? undefined : etcd);
      await rotateElsewhere(machine);
      showStored(machine);
      await live(machine.slipway(), machine, 10 * minute, () => state(machine) === 'done');
      expect([machine.passwords.rotations, machine.units.starts]).toEqual([1, 2]);
      await expectNext(machine);
      expect(machine.passwords.rotations).toBe(1);
    },
  );

  test('starts with the token of the vault if another server rotated while this one was off', async () => {
    const machine = await oneOfSeveral();
    await rotateElsewhere(machine);
    await machine.reboot();
    expect(machine.passwords.accepts(next)).toBe(false);
    await live(machine.slipway(), machine, 10 * minute, isReady);
    await expectNext(machine);
    expect(machine.passwords.rotations).toBe(1);
  });

  test('takes the token of the vault without a notice, once another server accepts it', async () => {
    const machine = await oneOfSeveral(etcd);
    await rotateElsewhere(machine);
    machine.peer.cluster = { token: next, ca };
    await live(machine.slipway(), machine, 180 * minute, () => state(machine) === 'done');
    expect([machine.passwords.rotations, machine.units.starts]).toEqual([1, 2]);
    await expectNext(machine);
  });

  test('takes over the token of a rotation by hand on this server, without a restart', async () => {
    const machine = await oneOfSeveral();
    await rotateByHand(machine);
    machine.cloud.secrets.set('k3s-token', next);
    await live(machine.slipway(), machine, 6 * minute);
    expect([machine.host.files.text(tokenFile), machine.units.starts]).toEqual([`${next}\n`, 1]);
    await expectNext(machine);
  });
});
