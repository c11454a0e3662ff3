import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/agent/engine/digest.ts';
import { renderOwn } from '../../src/agent/engine/own-file.ts';
import { renderConfig } from '../../src/agent/parts/k3s/config/config.ts';
import {
  judgeCopy,
  judgeOwnEtcd,
  type OtherServers,
  restoreEnded,
  restoreOf,
} from '../../src/agent/parts/k3s/index.ts';
import { readFounding } from '../../src/agent/parts/k3s/membership/founding/record.ts';
import { restoreUnderWay } from '../../src/agent/parts/k3s/restore/restore-state.ts';
import { replaceDatastore } from '../../src/setup/restore.ts';
import { restorePlan, restoreSteps } from '../../src/setup/restore-steps.ts';
import { Crash, type MemoryHost } from '../lab/memory-host.ts';
import { snapshotText } from '../lab/memory-snapshots.ts';
import { aCluster, putNode } from '../unit/agent/a-cluster.ts';
import { aNode, outcome } from '../unit/agent/a-node.ts';
import {
  aServer,
  ca,
  database,
  paths,
  token,
  type Unit,
} from '../unit/agent/parts/k3s/datastore/a-datastore.ts';
import { goBack } from '../unit/agent/parts/k3s/restore/a-copy.ts';

const server = '/var/lib/rancher/k3s/server';
const snapshot = `${server}/db/snapshots/on-demand-vm-1-1764500000`;
const content = snapshotText([`/bootstrap/${token}`, '/registry/nodes/vm-1']);
const wal = `${server}/db/etcd/member/wal/0.wal`;
const aside = 'before-restore-20261130T120000Z';
const alone: OtherServers = { peers: [], registration: [], members: [], own: [] };
const settings = { k3s: { datastore: 'etcd', server: 'k3s.example.com', peers: ['10.0.0.6'] } } as const;
const joining = aNode('server', { settings, joins: 'https://10.0.0.6:6443' });
const never = new AbortController().signal;
const words =
  'time="2026-11-30T12:00:00Z" level=error msg="Shutdown request received: \\"Managed etcd cluster membership has been reset, restart without --cluster-reset flag now."\n';

const dropIn = '/etc/rancher/k3s/config.yaml.d/a.yaml';
/** A reset of K3s in its unit. */
const reset = /^--scope .*--unit=slipway-restore\.scope \/usr\/local\/bin\/k3s server --cluster-reset( |$)/;

interface World {
  readonly host: MemoryHost;
  readonly unit: Unit & { NRestarts: string };
  /** What a real K3s would have refused, or done wrong. */
  readonly faults: string[];
  readonly said: string[];
  resets: number;
  /** True while a reset runs that a killed command has left. */
  isLeft: boolean;
}

/**
 * Returns a server that has joined another one, with a snapshot of its etcd. K3s is modelled at a reset and at a start:
 * it resets nothing while its configuration names a server, moves an etcd that it finds aside, and writes the files of
 * the snapshot (pkg/etcd/etcd.go, pkg/cluster/bootstrap.go).
 */
function world(): World {
  const { host, unit: shown } = aServer();
  const { files } = host;
  const machine: World = {
    host,
    unit: Object.assign(shown, { NRestarts: '0' }),
    faults: [],
    said: [],
    resets: 0,
    isLeft: false,
  };
  const { unit, faults } = machine;
  files.remove(database);
  files.write(snapshot, content, 0o600);
  files.write(wal, 'the present etcd', 0o600);
  files.write(`${server}/cred/passwd`, 'passwords', 0o600);
  files.write(paths.k3s.config, renderConfig(joining), 0o600);
  files.write(
    paths.slipway.founding,
    renderOwn({ format: 1 }, { state: 'member', server: joining.joins, claimed: token, at: 1 }),
    0o600,
  );
  const api = aCluster(host);
  api.isUp = () => unit.ActiveState === 'active';
  putNode(api);
  const started = () => {
    if (![content, ofOneServer].includes(files.text(wal) ?? '') || files.text(paths.k3s.serverCa) !== ca) {
      faults.push('starts without the restored cluster');
    }
    files.remove(`${server}/db/reset-flag`);
    unit.ActiveState = 'active';
    return '';
  };
  host
    .on({ file: 'k3s', args: ['--version'] }, 'k3s version v1.36.3+k3s1 (1a2b3c4d)\n')
    .on({ file: 'systemctl', args: /^show k3s\.service slipway-restore\.scope / }, () =>
      [
        `FragmentPath=/etc/systemd/system/k3s.service\nActiveState=${unit.ActiveState}\nUnitFileState=${unit.UnitFileState}`,
        machine.isLeft
          ? 'FragmentPath=/run/systemd/transient/slipway-restore.scope\nActiveState=active\nUnitFileState=transient'
          : 'FragmentPath=\nActiveState=inactive\nUnitFileState=',
      ].join('\n\n'),
    )
    .on({ file: 'systemctl', args: ['stop', 'slipway-restore.scope'] }, () => {
      machine.isLeft = false;
      return '';
    })
    .on({ file: 'stat', args: /^--file-system / }, () => '1000000 4096\n')
    .on({ file: 'cp', args: /^--archive -- / }, ({ args }) => {
      files.write(`${args[3]}/member/wal/0.wal`, files.text(`${args[2]}/member/wal/0.wal`) ?? '', 0o600);
      return '';
    })
    .on({ file: 'sync', args: /^--file-system \S+\.part$/ }, '')
    .on({ file: 'systemd-run', args: reset }, ({ args }) => {
      machine.resets += 1;
      if (machine.isLeft) {
        faults.push('is reset twice at once');
      }
      if (files.text(paths.k3s.config)?.includes('server: ')) {
        return { exitCode: 1, stderr: 'Error: cannot perform cluster-reset while server URL is set\n' };
      }
      if (unit.ActiveState === 'active' || unit.UnitFileState === 'enabled') {
        faults.push('is reset while K3s runs or may start');
      }
      const from = args.find((each) => each.includes('restore-path='))?.split('=')[1];
      if (from === undefined) {
        return resetOwn(machine);
      }
      if (files.text(wal) !== undefined) {
        faults.push('moves an etcd aside that was not kept before');
      }
      files.write(wal, files.text(from) ?? 'nothing', 0o600);
      files.write(paths.k3s.serverCa, ca);
      files.write(`${server}/db/reset-flag`, '', 0o600);
      const isLogged = files.text(dropIn)?.includes('log:') && !args.includes('--alsologtostderr');
      return { stderr: isLogged ? '' : words };
    })
    .on({ file: 'systemctl', args: ['disable', '--now', 'k3s.service'] }, () => {
      Object.assign(unit, { ActiveState: 'inactive', UnitFileState: 'disabled' });
      return '';
    })
    .on({ file: 'systemctl', args: ['enable', 'k3s.service'] }, () => {
      unit.UnitFileState = 'enabled';
      return '';
    })
    .on({ file: 'systemctl', args: ['start', '--no-block', 'k3s.service'] }, started);
  return machine;
}

const ofOneServer = 'the present etcd, of this server alone';

/** Models a reset without a snapshot, which keeps the database, and which K3s refuses while its flag file exists. */
function resetOwn({ host: { files }, faults }: World) {
  if (files.stat(`${server}/db/reset-flag`) !== undefined) {
    return { stderr: 'level=fatal msg="Error: preparing server: remove the cluster-reset flag"\n' };
  }
  if (files.text(`${server}/db/etcd.${aside}/member/wal/0.wal`) !== 'the present etcd') {
    faults.push('is reset without a copy of its etcd');
  }
  files.write(`${server}/db/reset-flag`, '', 0o600);
  files.write(wal, ofOneServer, 0o600);
  return { stderr: words };
}

async function restore({ host, said }: World, own = false): Promise<boolean> {
  const copy = own ? await judgeOwnEtcd(host, paths) : await judgeCopy(host, paths, snapshot);
  const begun = await restoreOf(host, paths, copy);
  const tell = { out: (line: string) => said.push(line), error: (line: string) => said.push(line) };
  return replaceDatastore(host, paths, restoreSteps(paths, copy, begun, alone), begun, {
    tell,
    interrupted: never,
  });
}

function expectRestored({ host, unit, faults }: World): void {
  const { files } = host;
  expect(faults).toEqual([]);
  expect(files.text(wal)).toBe(content);
  expect(files.text(`${server}/db/etcd.${aside}/member/wal/0.wal`)).toBe('the present etcd');
  expect(files.text(`${server}/tls.${aside}/server-ca.crt`)).toBe(ca);
  expect(files.text(snapshot)).toBe(content);
  expect(files.stat(paths.slipway.restore)).toBeUndefined();
  expect(unit).toMatchObject({ ActiveState: 'active', UnitFileState: 'enabled' });
  expect(files.text(paths.k3s.config)).toBe(renderConfig({ ...joining, joins: undefined }));
}

describe('a restore of a snapshot of etcd', () => {
  test('lets K3s make a cluster of this server alone, keeps what was there, and starts K3s', async () => {
    const machine = world();
    expect(await restore(machine)).toBe(true);
    expectRestored(machine);
    expect(machine.resets).toBe(1);
    expect(await readFounding(machine.host, paths)).toMatchObject({ state: 'member', claimed: token });
    expect((await readFounding(machine.host, paths))?.server).toBeUndefined();
    expect(machine.host.lines().join('\n')).not.toContain('swordfish');
  });

  test('continues after a crash and a reboot before each of its changes, and resets no running cluster', async () => {
    const whole = world();
    await restore(whole);
    expect(whole.host.mutations).toBeGreaterThan(9);
    for (let mutation = 1; mutation <= whole.host.mutations; mutation += 1) {
      const machine = world();
      const { host, unit } = machine;
      host.crashBefore(mutation);
      await expect(restore(machine)).rejects.toBeInstanceOf(Crash);
      host.restart();
      unit.ActiveState = 'inactive';
      if (unit.UnitFileState === 'enabled') {
        unit.ActiveState = 'active';
      }
      const isNoted = host.files.stat(paths.slipway.restore) !== undefined;
      expect(await outcome(restoreEnded(joining), host)).toBe(
        isNoted ? 'Waiting RestoreUnfinished' : 'InSync',
      );
      expect(await restore(machine)).toBe(true);
      expectRestored(machine);
    }
  });

  test.each([
    ['K3s ends with an error', { exitCode: 1, stderr: 'level=fatal msg="encrypted with different token"\n' }],
    ['K3s ends without its words', { stderr: 'level=fatal msg="encrypted with different token"\n' }],
  ])('fails if %s, names the way back, and can be tried again', async (_, answer) => {
    const machine = world();
    const broken = world();
    broken.host.on({ file: 'systemd-run', args: reset }, () => answer);
    expect(await restore(broken)).toBe(false);
    const told = broken.said.join('\n');
    expect(told).toContain('Its last words: "encrypted with different token"');
    expect(told).toContain(`mv ${server}/db/etcd.${aside} ${server}/db/etcd;`);
    expect(await outcome(restoreEnded(joining), broken.host)).toBe('Waiting RestoreUnfinished');
    expect(await restore(machine)).toBe(true);
  });

  test('ends a reset that a killed command has left, before it moves the database of that reset aside', async () => {
    const whole = world();
    await restore(whole);
    const isReset = (line: string) => line.includes('--cluster-reset');
    const machine = world();
    const { host, faults } = machine;
    host.crashBefore(whole.host.lines().findIndex(isReset) + 2);
    await expect(restore(machine)).rejects.toBeInstanceOf(Crash);
    host.restart();
    machine.isLeft = true;
    expect(await restore(machine)).toBe(true);
    const again = host.lines().slice(host.lines().findIndex(isReset) + 1);
    const stopped = again.indexOf('run systemctl stop slipway-restore.scope');
    const moved = again.findIndex((line) => line.includes(`/etcd.${aside}`));
    expect([stopped >= 0, moved > stopped, faults]).toEqual([true, true, []]);
  });

  test('reads the words of K3s although a drop-in sends them to a log file', async () => {
    const machine = world();
    machine.host.files.write(dropIn, 'log: /var/log/k3s.log\n');
    expect(await restore(machine)).toBe(true);
    expectRestored(machine);
  });

  test('has a way back to the joined server, with or without its record, even after a crash before each change', async () => {
    const failing = (isRecorded: boolean) => {
      const machine = world();
      machine.host.on({ file: 'systemd-run', args: reset }, { exitCode: 1 });
      if (!isRecorded) {
        machine.host.files.remove(paths.slipway.founding);
      }
      return machine;
    };
    for (const isRecorded of [true, false]) {
      const whole = failing(isRecorded);
      const before = whole.host.files.snapshot();
      expect(await restore(whole)).toBe(false);
      goBack(whole.host, whole.said.join('\n'));
      expect(whole.host.files.snapshot()).toEqual(before);
      for (let mutation = 1; mutation <= whole.host.mutations; mutation += 1) {
        const machine = failing(isRecorded);
        machine.host.crashBefore(mutation);
        await restore(machine).catch(() => {});
        machine.host.restart();
        expect(await restore(machine)).toBe(false);
        goBack(machine.host, machine.said.join('\n'));
        expect(machine.host.files.snapshot()).toEqual(before);
      }
    }
  });

  test('keeps K3s from looking for the file in a bucket', async () => {
    const machine = world();
    const { files } = machine.host;
    files.write('/etc/rancher/k3s/config.yaml.d/s3.yaml', 'etcd-s3: true\n');
    expect(await restore(machine)).toBe(true);
    expect(machine.host.lines().find((line) => line.includes('--cluster-reset'))).toContain(
      '--etcd-s3=false',
    );
  });

  test('has a plan that says what becomes of the other servers', async () => {
    const { host } = world();
    const copy = await judgeCopy(host, paths, snapshot);
    const plan = restorePlan(
      host,
      copy,
      restoreSteps(paths, copy, await restoreOf(host, paths, copy), alone),
    );
    expect(plan).toContain('  it has no manifest, so nothing shows its cluster and its K3s');
    expect(plan).toContain(`  move ${server}/db/etcd to ${server}/db/etcd.${aside}`);
    expect(plan.join('\n')).toContain('k3s server --cluster-reset');
    expect(plan.join('\n')).toContain('The cluster has this server alone.');
    expect(host.mutations).toBe(0);
  });
});

describe('a server that goes on with its own etcd', () => {
  function expectAlone({ host, unit, faults }: World): void {
    const { files } = host;
    expect(faults).toEqual([]);
    expect(files.text(wal)).toBe(ofOneServer);
    expect(files.text(`${server}/db/etcd.${aside}/member/wal/0.wal`)).toBe('the present etcd');
    expect(files.stat(`${server}/db/etcd.${aside}.part`)).toBeUndefined();
    expect(files.stat(`${server}/tls.${aside}`)).toBeUndefined();
    expect(files.stat(paths.slipway.restore)).toBeUndefined();
    expect(unit).toMatchObject({ ActiveState: 'active', UnitFileState: 'enabled' });
    expect(files.text(paths.k3s.config)).toBe(renderConfig({ ...joining, joins: undefined }));
  }

  test('keeps a copy of it, lets K3s make a cluster of this server alone, and starts K3s', async () => {
    const machine = world();
    expect(await restore(machine, true)).toBe(true);
    expectAlone(machine);
    expect(machine.resets).toBe(1);
    expect(machine.host.lines().join('\n')).not.toContain('restore-path');
  });

  test('continues after a crash and a reboot before each change, and resets no running cluster', async () => {
    const whole = world();
    await restore(whole, true);
    expect(whole.host.mutations).toBeGreaterThan(12);
    for (let mutation = 1; mutation <= whole.host.mutations; mutation += 1) {
      const machine = world();
      const { host, unit } = machine;
      host.crashBefore(mutation);
      await expect(restore(machine, true)).rejects.toBeInstanceOf(Crash);
      host.restart();
      unit.ActiveState = unit.UnitFileState === 'enabled' ? 'active' : 'inactive';
      const begun = await restoreUnderWay(host, paths);
      if (begun !== undefined) {
        const ended = await restoreEnded(joining).check(host);
        expect(ended).toMatchObject({
          message: expect.stringContaining('continue: slipway restore --reset'),
        });
        await expect(judgeCopy(host, paths, snapshot)).rejects.toThrow(
          /End it first: slipway restore --reset/,
        );
      }
      expect(await restore(machine, true)).toBe(true);
      expectAlone(machine);
    }
  });

  test('names the command that tries again and the way back if K3s does not reset it', async () => {
    const machine = world();
    const before = machine.host.files.snapshot();
    machine.host.on({ file: 'systemd-run', args: reset }, { exitCode: 1, stderr: 'level=fatal msg="no"\n' });
    expect(await restore(machine, true)).toBe(false);
    const told = machine.said.join('\n');
    expect(told).toContain('To try again: slipway restore --reset.');
    goBack(machine.host, told);
    expect(machine.host.files.snapshot()).toEqual(before);
  });

  test.each<readonly [string, (host: MemoryHost) => void, RegExp]>([
    ['has no etcd', (host) => host.files.remove(`${server}/db/etcd`), /no etcd of its own|of SQLite/],
    [
      'was removed from its cluster',
      (host) => host.files.write(`${server}/db/etcd/tombstone`, ''),
      /no etcd of its own/,
    ],
    [
      'has no room for the copy',
      (host) => host.on({ file: 'stat', args: /^--file-system / }, '1000 4096\n'),
      /needs 1024 MB of free space there, and 4 MB are free/,
    ],
  ])('is refused before any change if it %s', async (_, change, verdict) => {
    const { host } = world();
    change(host);
    await expect(judgeOwnEtcd(host, paths)).rejects.toThrow(verdict);
    expect(host.mutations).toBe(0);
  });

  test('continues although an interrupted copy takes the room for a second one', async () => {
    const machine = world();
    machine.host.crashBefore(6);
    await expect(restore(machine, true)).rejects.toBeInstanceOf(Crash);
    machine.host.restart();
    machine.host.on({ file: 'stat', args: /^--file-system / }, '1000 4096\n');
    expect(await restore(machine, true)).toBe(true);
    expectAlone(machine);
  });

  test('does not go on while a restore of a copy is under way', async () => {
    const machine = world();
    machine.host.crashBefore(3);
    await expect(restore(machine)).rejects.toBeInstanceOf(Crash);
    machine.host.restart();
    await expect(judgeOwnEtcd(machine.host, paths)).rejects.toThrow(`slipway restore --from ${snapshot}`);
  });

  test('has a plan that says what is kept, and what the cluster loses', async () => {
    const { host } = world();
    const own = await judgeOwnEtcd(host, paths);
    const plan = restorePlan(host, own, restoreSteps(paths, own, await restoreOf(host, paths, own), alone));
    expect(plan[0]).toBe(`The etcd of this server, ${server}/db/etcd`);
    expect(plan).toContain(`  copy ${server}/db/etcd to ${server}/db/etcd.${aside}`);
    expect(plan.join('\n')).toContain(`go on with ${server}/db/etcd as a cluster of this server alone`);
    expect(plan.join('\n')).toContain('kubectl delete node NAME');
    expect(plan.join('\n')).not.toMatch(/etcd-old|The copy /);
  });
});

describe('a snapshot of etcd', () => {
  const described = (changes: object) => ({
    ...{
      datastore: 'etcd',
      k3s: 'v1.36.3+k3s1',
      ca: sha256(ca),
      token,
      bytes: content.length,
      sha256: sha256(content),
    },
    ...{ revision: 9, objects: 3, madeAt: '2026-11-30T11:00:00Z', reason: 'by schedule', ...changes },
  });

  async function refusal({ host }: World, path = snapshot): Promise<string> {
    const thrown = await judgeCopy(host, paths, path).then(
      () => 'accepted',
      ({ reason, message }) => `${reason}: ${message}`,
    );
    expect(host.mutations).toBe(0);
    return thrown;
  }

  test.each<readonly [string, (host: MemoryHost) => void, string | RegExp]>([
    ['with its manifest', (host) => put(host, {}), 'accepted'],
    ['of another cluster', (host) => put(host, { ca: sha256('other') }), /copy of another cluster/],
    ['of a newer K3s', (host) => put(host, { k3s: 'v1.37.0+k3s1' }), /Install v1\.37\.0/],
    ['of another token', (host) => put(host, { token: '0123456789ab' }), /encrypted with another token/],
    ['that was changed', (host) => put(host, { sha256: sha256('x') }), /its sha256 is/],
    [
      'of SQLite',
      (host) => put(host, { datastore: 'sqlite' }),
      /in embedded etcd, and the copy is of SQLite/,
    ],
    [
      'on a server whose unit has flags of its own',
      (host) =>
        host.files.write(
          '/etc/systemd/system/k3s.service.d/x.conf',
          '[Service]\nExecStart=\nExecStart=/usr/local/bin/k3s server --node-name x\n',
        ),
      /flag node-name from .*x\.conf.*Move it to a file in/,
    ],
    [
      'on a server whose drop-in names a server to join',
      (host) => host.files.write('/etc/rancher/k3s/config.yaml.d/a.yaml', 'server: https://10.0.0.6:6443\n'),
      /a\.yaml lets this server join another one/,
    ],
  ])('%s is judged before anything changes', async (_, change, verdict) => {
    const machine = world();
    change(machine.host);
    expect(await refusal(machine)).toMatch(verdict);
  });

  test.each<readonly [string, string, RegExp]>([
    ['damaged', `${content}x`, /^DatabaseDamaged/],
    ['without bootstrap data', snapshotText(['/registry/x']), /^DatabaseDamaged/],
    [
      'of another token',
      snapshotText(['/bootstrap/0123456789ab', '/registry/x']),
      /encrypted with another token .*0123456789ab/,
    ],
  ])('without a manifest is refused if it is %s', async (_, text, verdict) => {
    const machine = world();
    machine.host.files.write(snapshot, text, 0o600);
    expect(await refusal(machine)).toMatch(verdict);
  });

  test('that is compressed is refused', async () => {
    const machine = world();
    machine.host.files.write(`${snapshot}.zip`, 'compressed');
    expect(await refusal(machine, `${snapshot}.zip`)).toMatch(/Unzip it/);
  });

  function put(host: MemoryHost, changes: object): void {
    host.files.write(`${snapshot}.json`, renderOwn({ format: 1 }, described(changes)), 0o600);
  }
});
