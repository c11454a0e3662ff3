import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/agent/engine/digest.ts';
import {
  judgeCopy,
  longestReset,
  type OtherServers,
  placedRestore,
  requireOthersOff,
  restoreEnded,
  restoreOf,
} from '../../src/agent/parts/k3s/index.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { daemonBack, longestStep, replaceDatastore } from '../../src/setup/restore.ts';
import { continuedPlan, restorePlan, restoreSteps } from '../../src/setup/restore-steps.ts';
import { Crash, type MemoryHost, unreachable } from '../lab/memory-host.ts';
import { aCluster, putNode } from '../unit/agent/a-cluster.ts';
import { aNode, outcome } from '../unit/agent/a-node.ts';
import {
  aServer,
  database,
  datastoreSql,
  password,
  paths,
  token,
  type Unit,
} from '../unit/agent/parts/k3s/datastore/a-datastore.ts';
import { copySql, file, goBack, putCopy } from '../unit/agent/parts/k3s/restore/a-copy.ts';

const server = '/var/lib/rancher/k3s/server';
const aside = 'before-restore-20261130T120000Z';

const servers: OtherServers = { peers: [], registration: [], members: [], own: [] };

/** A signal that is never aborted. */
const never = new AbortController().signal;

interface World {
  readonly host: MemoryHost;
  readonly unit: Unit & { NRestarts: string };
  /** What a real K3s would have refused, or done wrong. */
  readonly faults: string[];
  readonly said: string[];
}

/**
 * Returns a server with a copy of an hour ago. K3s is modelled at its start: without a datastore it begins a new
 * cluster, and it refuses certificates and passwords that are newer than the datastore (pkg/cluster/bootstrap.go).
 */
function world(): World {
  const { host, unit: shown } = aServer();
  const unit = Object.assign(shown, { NRestarts: '0' });
  const faults: string[] = [];
  putCopy(host);
  host.files.write(`${server}/cred/passwd`, 'passwords', 0o600);
  host.files.write(`${database}-wal`, 'log');
  const api = aCluster(host);
  api.isUp = () => unit.ActiveState === 'active';
  putNode(api);
  const start = () => {
    const sql = host.files.text(database);
    if (sql === undefined) {
      faults.push('begins a new cluster');
    } else if (sql !== copySql && sql !== datastoreSql()) {
      faults.push('opens half a datastore');
    } else if (
      sql === copySql &&
      (host.files.stat(`${server}/cred/passwd`) || host.files.stat(`${database}-wal`))
    ) {
      faults.push('newer than datastore');
    }
    unit.ActiveState = 'active';
    unit.InvocationID += '+';
    host.files.write(paths.k3s.serverCa, 'the CA of the cluster\n');
  };
  host
    .on({ file: 'k3s', args: ['--version'] }, 'k3s version v1.36.3+k3s1 (1a2b3c4d)\n')
    .on({ file: 'systemctl', args: ['disable', '--now', 'k3s.service'] }, () => {
      Object.assign(unit, { ActiveState: 'inactive', UnitFileState: 'disabled' });
      return '';
    })
    .on({ file: 'systemctl', args: ['stop', 'k3s.service'] }, () => {
      unit.ActiveState = 'inactive';
      return '';
    })
    .on({ file: 'systemctl', args: ['enable', 'k3s.service'] }, () => {
      unit.UnitFileState = 'enabled';
      return '';
    })
    .on({ file: 'systemctl', args: ['start', '--no-block', 'k3s.service'] }, () => {
      start();
      return '';
    })
    .on(
      { file: 'journalctl' },
      'time="2026-11-30T12:00:00Z" level=fatal msg="starting kubernetes: no room"\n',
    );
  return { host, unit, faults, said: [] };
}

/** Does what the command does while it holds its locks. */
async function restore(
  { host, said }: World,
  {
    interrupted = never,
    otherCluster,
    others = servers,
  }: { interrupted?: AbortSignal; otherCluster?: string; others?: OtherServers } = {},
): Promise<boolean> {
  const copy = await judgeCopy(host, paths, file, { otherCluster });
  const begun = await restoreOf(host, paths, copy);
  const tell = { out: (line: string) => said.push(line), error: (line: string) => said.push(line) };
  return replaceDatastore(host, paths, restoreSteps(paths, copy, begun, others), begun, {
    tell,
    interrupted,
  });
}

/** Boots the machine again: systemd starts K3s if its unit is enabled. */
async function reboot({ host, unit }: World): Promise<void> {
  host.restart();
  unit.ActiveState = 'inactive';
  if (unit.UnitFileState === 'enabled') {
    await host.run({ file: 'systemctl', args: ['start', '--no-block', 'k3s.service'] });
    host.restart();
  }
}

function held(host: MemoryHost): Promise<string> {
  return outcome(restoreEnded(aNode('server')), host);
}

describe('a restore of the datastore', () => {
  test('replaces the datastore, keeps what was there, and starts K3s with certificates made anew', async () => {
    const machine = world();
    const { host, unit, faults } = machine;
    expect(await restore(machine)).toBe(true);
    expect(faults).toEqual([]);
    expect(host.files.read(database)).toMatchObject({ content: copySql, mode: 0o600 });
    expect(host.files.list(`${server}/db`)).toEqual(['state.db']);
    expect(host.files.text(`${server}/db.${aside}/state.db`)).toBe(datastoreSql());
    expect(host.files.text(`${server}/db.${aside}/state.db-wal`)).toBe('log');
    expect(host.files.text(`${server}/tls.${aside}/server-ca.crt`)).toBe('the CA of the cluster\n');
    expect(host.files.text(`${server}/cred/passwd.${aside}`)).toBe('passwords');
    expect(unit).toMatchObject({ ActiveState: 'active', UnitFileState: 'enabled' });
    expect(host.files.stat(paths.slipway.restore)).toBeUndefined();
    expect(host.files.text(file)).toBe(copySql);
    expect(machine.said.at(-2)).toBe('The datastore is restored, and the API is ready. It lists: vm-1');
  });

  test('forgets the turns and the cordon of the past before Slipway acts again', async () => {
    const machine = world();
    const { host } = machine;
    const api = aCluster(host);
    api.isUp = () => machine.unit.ActiveState === 'active';
    const annotations = { 'slipway.dev/turn-grant': '{}', 'slipway.dev/cordon': '{"why":"x","since":"y"}' };
    putNode(api, { metadata: { name: 'vm-1', annotations }, spec: { unschedulable: true } });
    expect(await restore(machine)).toBe(true);
    expect(machine.said.join('\n')).toContain('vm-1 has no turn and no cordon of Slipway any more');
    expect(api.objects.get('nodes', undefined, 'vm-1')?.spec).toEqual({});
    const lines = host.lines();
    const at = (part: string) => lines.findIndex((line) => line.includes(part));
    expect(at('/api/v1/nodes/vm-1')).toBeGreaterThan(at('systemctl start'));
    expect(at('/api/v1/nodes/vm-1')).toBeLessThan(at(`remove ${paths.slipway.restore}`));
  });

  test('prepares the datastore, then holds the node, and only then stops K3s', async () => {
    const machine = world();
    await restore(machine);
    const lines = machine.host.lines();
    const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
    expect(at('copy ')).toBeLessThan(at(`write ${paths.slipway.restore}`));
    expect(at(`write ${paths.slipway.restore}`)).toBeLessThan(at('run systemctl disable'));
    expect(at('run systemctl disable')).toBeLessThan(at('rename'));
    expect(at('run systemctl start')).toBeLessThan(at(`remove ${paths.slipway.restore}`));
  });

  test('continues after a crash and a reboot before each of its changes', async () => {
    const changes = await counted();
    expect(changes).toBeGreaterThan(8);
    for (let mutation = 1; mutation <= changes; mutation += 1) {
      const machine = world();
      const { host, faults } = machine;
      host.crashBefore(mutation);
      await expect(restore(machine)).rejects.toBeInstanceOf(Crash);
      await reboot(machine);
      const isNoted = host.files.stat(paths.slipway.restore) !== undefined;
      expect(await held(host)).toBe(isNoted ? 'Waiting RestoreUnfinished' : 'InSync');
      expect(await restore(machine)).toBe(true);
      expect(faults).toEqual([]);
      expect(host.files.text(database)).toBe(copySql);
      expect(host.files.text(`${server}/db.${aside}/state.db`)).toBe(datastoreSql());
      expect(machine.unit).toMatchObject({ ActiveState: 'active', UnitFileState: 'enabled' });
      expect(await held(host)).toBe('InSync');
      expect(host.files.list(server).filter((name) => name.includes('restoring'))).toEqual([]);
    }
  });

  const hasBegun = new RegExp(`^The restore has begun.*slipway restore --from ${file}$`);

  test.each<readonly [string, RegExp, string]>([
    ['copy ', /^The datastore was not replaced\. To try again, run the same command again\.$/, 'copy '],
    [`write ${paths.slipway.restore}`, hasBegun, `write ${paths.slipway.restore}`],
    ['run systemctl disable', hasBegun, 'run systemctl disable'],
    ['run systemctl start', hasBegun, `write ${paths.slipway.restore}`],
  ])(
    'ends after the step in which a signal arrives (%s), and can be continued',
    async (step, message, last) => {
      const machine = world();
      const { host, said, faults } = machine;
      const signal = new AbortController();
      const push = host.journal.push.bind(host.journal);
      host.journal.push = (...actions) => {
        const length = push(...actions);
        if (host.lines().at(-1)?.startsWith(step)) {
          signal.abort();
        }
        return length;
      };
      expect(await restore(machine, { interrupted: signal.signal })).toBe(false);
      expect(host.lines().at(-1)).toMatch(new RegExp(`^${last}`));
      expect(said.at(-1)).toMatch(message);
      expect(await restore(machine)).toBe(true);
      expect(faults).toEqual([]);
      expect(host.files.text(`${server}/db.${aside}/state.db`)).toBe(datastoreSql());
    },
  );

  test('leaves the datastore alone while another server answers, and continues once it is off', async () => {
    const machine = world();
    const { host, said } = machine;
    const peer = { ...servers, peers: ['https://10.0.0.6:6443'] };
    let isOn = true;
    host.onPeer(/10\.0\.0\.6/, () => (isOn ? 'a certificate' : unreachable('https://10.0.0.6:6443')));
    expect(await restore(machine, { others: peer })).toBe(false);
    expect(said.join('\n')).toMatch(/10\.0\.0\.6:6443 answers.*tag k3s-hold/);
    expect(host.files.text(database)).toBe(datastoreSql());
    expect(await held(host)).toBe('Waiting RestoreUnfinished');
    isOn = false;
    expect(await restore(machine, { others: peer })).toBe(true);
    expect(host.files.text(database)).toBe(copySql);
  });

  test('does not start K3s beside a server that has booted meanwhile, and continues once it is off', async () => {
    const machine = world();
    const { host, said, unit } = machine;
    const peer = { ...servers, peers: ['https://10.0.0.6:6443'] };
    let isOff = false;
    host.onPeer(/10\.0\.0\.6/, () =>
      !isOff && host.files.text(database) === copySql
        ? 'a certificate'
        : unreachable('https://10.0.0.6:6443'),
    );
    expect(await restore(machine, { others: peer })).toBe(false);
    expect(said.join('\n')).toContain('10.0.0.6:6443 answers');
    expect(unit).toMatchObject({ ActiveState: 'inactive', UnitFileState: 'disabled' });
    isOff = true;
    expect(await restore(machine, { others: peer })).toBe(true);
  });

  test('continues without its copy, and beside a server that has joined it', async () => {
    const machine = world();
    const { host, said } = machine;
    const others = { ...servers, peers: ['https://10.0.0.6:6443'] };
    const signal = new AbortController();
    host.onPeer(/10\.0\.0\.6/, () =>
      signal.signal.aborted ? 'a certificate' : unreachable('https://10.0.0.6:6443'),
    );
    host.on({ file: 'systemctl', args: ['start', '--no-block', 'k3s.service'] }, () => {
      machine.unit.ActiveState = 'activating';
      signal.abort();
      return '';
    });
    expect(await placedRestore(host, paths, file)).toBeUndefined();
    expect(await restore(machine, { others, interrupted: signal.signal })).toBe(false);
    host.files.remove(file);
    machine.unit.ActiveState = 'failed';
    host.on({ file: 'systemctl', args: ['start', '--no-block', 'k3s.service'] }, () => {
      machine.unit.ActiveState = 'active';
      return '';
    });
    await requireOthersOff(host, paths, others);
    expect(await placedRestore(host, paths, '/another/copy')).toBeUndefined();
    const begun = await placedRestore(host, paths, file);
    if (begun === undefined) {
      throw new Error('the restore is not in place');
    }
    const steps = restoreSteps(paths, undefined, begun, others);
    expect(continuedPlan(begun, steps).join('\n')).toMatch(
      /is in place.*\n.*\n(?:.*\n)*.*start k3s\.service/,
    );
    const tell = { out: (line: string) => said.push(line), error: (line: string) => said.push(line) };
    expect(await replaceDatastore(host, paths, steps, begun, { tell, interrupted: never })).toBe(true);
  });

  test('may finish its longest step after a signal', () => {
    expect(longestStep(undefined)).toBe(180_000);
    expect(longestStep('etcd')).toBeGreaterThan(longestReset);
    expect(longestReset).toBe(15 * 60_000);
  });

  test('stops waiting for the API at a signal, and can be continued', async () => {
    const machine = world();
    const { host, unit } = machine;
    const signal = new AbortController();
    host.on({ file: 'systemctl', args: ['start', '--no-block', 'k3s.service'] }, () => {
      unit.ActiveState = 'activating';
      signal.abort();
      return '';
    });
    expect(await restore(machine, { interrupted: signal.signal })).toBe(false);
    expect(host.files.stat(paths.slipway.restore)).toBeDefined();
    unit.ActiveState = 'active';
    expect(await restore(machine)).toBe(true);
  });

  test('stops K3s once, even if it is continued after the datastore is in place', async () => {
    const machine = world();
    machine.host.crashBefore((await counted()) - 1);
    await expect(restore(machine)).rejects.toBeInstanceOf(Crash);
    await reboot(machine);
    await restore(machine);
    expect(machine.host.lines().filter((line) => line.includes('disable'))).toHaveLength(1);
  });

  /** Makes K3s a newer release, with the release of the copy kept, as after an upgrade. */
  function upgraded({ host }: World, state: 'begun' | 'done' | 'gaveUp'): void {
    const says = (path: string) => {
      const release = host.files.text(path);
      return release === undefined ? { exitCode: 127 } : `k3s version ${release} (1a2b3c4d)\n`;
    };
    host.files.write(paths.k3s.binary, 'v1.37.0+k3s1', 0o755);
    host.files.write(paths.k3s.previous, 'v1.36.3+k3s1', 0o755);
    host.on({ file: paths.k3s.binary, args: ['--version'] }, () => says(paths.k3s.binary));
    host.on({ file: paths.k3s.previous, args: ['--version'] }, () => says(paths.k3s.previous));
    const record = {
      wanted: 'v1.37.0+k3s1',
      from: 'v1.36.3+k3s1',
      digest: '0123456789ab',
      state,
      restarts: 0,
    };
    host.files.write(paths.slipway.upgrade, JSON.stringify({ format: 1, ...record }), 0o600);
  }

  test('has a way back to both releases and to the record of the upgrade', async () => {
    const machine = world();
    const { host, unit } = machine;
    upgraded(machine, 'done');
    const before = host.files.snapshot();
    host.on({ file: 'systemctl', args: ['start', '--no-block', 'k3s.service'] }, () => {
      Object.assign(unit, { ActiveState: 'activating', NRestarts: '3' });
      return '';
    });
    goBack(host, await restore(machine).catch(({ message }) => message));
    expect(host.files.snapshot()).toEqual(before);
  });

  test.each(['begun', 'done', 'gaveUp'] as const)(
    'puts the release of the copy back after an upgrade in the state %s, and does not try it again, even after a crash',
    async (state) => {
      const whole = world();
      upgraded(whole, state);
      await restore(whole);
      for (let mutation = 1; mutation <= whole.host.mutations; mutation += 1) {
        const machine = world();
        const { host } = machine;
        upgraded(machine, state);
        host.crashBefore(mutation);
        await expect(restore(machine)).rejects.toBeInstanceOf(Crash);
        await reboot(machine);
        expect(await restore(machine)).toBe(true);
        expect(host.files.text(paths.k3s.binary)).toBe('v1.36.3+k3s1');
        expect(host.files.stat(paths.k3s.previous)).toBeUndefined();
        expect(host.files.text('/usr/local/bin/.k3s.before-restore-20261130T120000Z')).toBe('v1.37.0+k3s1');
        expect(JSON.parse(host.files.text(paths.slipway.upgrade) ?? '')).toMatchObject({
          state: 'rolledBack',
        });
        expect(host.files.text(database)).toBe(copySql);
      }
      expect(whole.faults).toEqual([]);
    },
  );

  test('keeps the release of K3s if the earlier one is gone, and says that K3s upgrades the objects again', async () => {
    const machine = world();
    machine.host.on({ file: 'k3s', args: ['--version'] }, 'k3s version v1.37.0+k3s1 (1a2b3c4d)\n');
    const copy = await judgeCopy(machine.host, paths, file);
    const steps = restoreSteps(paths, copy, await restoreOf(machine.host, paths, copy), servers);
    expect(restorePlan(machine.host, copy, steps).at(-1)).toBe(
      '  K3s v1.37.0+k3s1 reads the copy, and upgrades its objects again.',
    );
    expect(await restore(machine)).toBe(true);
  });

  describe.each(['begun', 'rotated'])('during a rotation of the token in the state %s', (state) => {
    const tokens = { from: `${password}\n`, to: 'marlin\n' };
    const digests = { from: token, to: sha256('marlin').slice(0, 12) };

    function rotating(): World {
      const machine = world();
      const { files } = machine.host;
      const record = { format: 1, state, ...digests, tokens, invocation: 'start-1' };
      files.write(paths.slipway.tokenRotation, JSON.stringify(record), 0o600);
      files.write(paths.k3s.serverToken, 'marlin\n', 0o600);
      files.write(paths.slipway.joinToken, state === 'begun' ? tokens.from : tokens.to, 0o600);
      return machine;
    }

    test('puts the token of the copy back before K3s starts, and lets the rotation begin anew, even after a crash', async () => {
      const whole = rotating();
      await restore(whole);
      const lines = whole.host.lines();
      const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
      expect(at('run systemctl disable')).toBeLessThan(at(`write ${paths.slipway.joinToken}`));
      expect(lines.join('\n')).not.toMatch(/swordfish|marlin/);
      for (let mutation = 1; mutation <= whole.host.mutations; mutation += 1) {
        const machine = rotating();
        const { files } = machine.host;
        machine.host.crashBefore(mutation);
        await expect(restore(machine)).rejects.toBeInstanceOf(Crash);
        await reboot(machine);
        expect(await restore(machine)).toBe(true);
        expect([files.text(paths.slipway.joinToken), files.text(paths.k3s.serverToken)]).toEqual([
          tokens.from,
          tokens.from,
        ]);
        expect(JSON.parse(files.text(paths.slipway.tokenRotation) ?? '')).toEqual({
          format: 1,
          ...digests,
          state: 'wanted',
          tokens,
        });
      }
    });

    test('has a way back to the tokens of the rotation', async () => {
      const machine = rotating();
      const { host, unit } = machine;
      const before = host.files.snapshot();
      host.on({ file: 'systemctl', args: ['start', '--no-block', 'k3s.service'] }, () => {
        Object.assign(unit, { ActiveState: 'activating', NRestarts: '3' });
        return '';
      });
      goBack(host, await restore(machine).catch(({ message }) => message));
      expect(host.files.snapshot()).toEqual(before);
      expect(host.lines().join('\n')).not.toMatch(/swordfish|marlin/);
    });
  });

  test('leaves K3s disabled if it was disabled before', async () => {
    const machine = world();
    machine.unit.UnitFileState = 'disabled';
    expect(await restore(machine)).toBe(true);
    expect(machine.unit).toMatchObject({ ActiveState: 'active', UnitFileState: 'disabled' });
  });

  test('names the way back if K3s ends at each start with the copy, and can be continued once K3s runs', async () => {
    const machine = world();
    const { host, unit } = machine;
    host.on({ file: 'systemctl', args: ['start', '--no-block', 'k3s.service'] }, () => {
      Object.assign(unit, { ActiveState: 'activating', NRestarts: '3' });
      return '';
    });
    await expect(restore(machine)).rejects.toMatchObject({
      reason: 'RestoreFailed',
      message: expect.stringMatching(
        /K3s ends at each start\. Its last words: "starting kubernetes: no room"\..*mv \S+\/db\.before-restore-20261130T120000Z \S+\/db;/,
      ),
    });
    expect(await held(host)).toBe('Waiting RestoreUnfinished');
    Object.assign(unit, { ActiveState: 'active', NRestarts: '0' });
    expect(await restore(machine)).toBe(true);
  });

  test('gives up waiting after fifteen minutes for an API that is not ready', async () => {
    const machine = world();
    const { host, unit } = machine;
    host.on({ file: 'systemctl', args: ['start', '--no-block', 'k3s.service'] }, () => {
      unit.ActiveState = 'activating';
      return '';
    });
    const began = host.now();
    await expect(restore(machine)).rejects.toMatchObject({ reason: 'RestoreFailed' });
    expect(host.now() - began).toBe(15 * 60_000);
  });

  test('changes nothing without room for the copy', async () => {
    const machine = world();
    machine.host.free = 1_000;
    expect(await restore(machine)).toBe(false);
    expect(machine.said.at(0)).toContain('DiskFull');
    expect(machine.host.lines()).toHaveLength(1);
    expect(await held(machine.host)).toBe('InSync');
  });

  test('has a plan that names the copy, each step and what the cluster forgets', async () => {
    const { host } = world();
    const copy = await judgeCopy(host, paths, file);
    const plan = restorePlan(
      host,
      copy,
      restoreSteps(paths, copy, await restoreOf(host, paths, copy), servers),
    );
    expect(plan.join('\n')).toMatch(
      /was made at 2026-11-30T11:00:00Z \(60 minutes ago\), before: upgrade v1\.36\.4/,
    );
    expect(plan).toContain(`  move ${server}/tls to ${server}/tls.${aside}`);
    expect(plan).toContain('  stop slipway.service');
    expect(plan.join('\n')).toContain('The cluster forgets everything since the copy');
    expect(host.mutations).toBe(0);
  });
});

describe('a restore of another cluster on a new VM', () => {
  const former = sha256('the CA of the lost cluster');
  const otherCluster = former.slice(0, 12);
  const secret = '/api/v1/namespaces/kube-system/secrets/vm-1.node-password.k3s';

  function newVm(): World & { readonly deleted: string[] } {
    const machine = world();
    const deleted: string[] = [];
    putCopy(machine.host, { ca: former });
    machine.host.files.write('/etc/rancher/k3s/config.yaml', 'node-name: vm-1\n');
    machine.host.onRequest({ method: 'DELETE', url: /secrets/ }, ({ url }) => {
      deleted.push(new URL(url).pathname);
      return {};
    });
    return { ...machine, deleted };
  }

  test('needs the name of that cluster', async () => {
    const { host } = newVm();
    await expect(judgeCopy(host, paths, file)).rejects.toMatchObject({
      reason: 'RestoreRefused',
      message: expect.stringContaining(`--other-cluster ${otherCluster}`),
    });
    await expect(judgeCopy(host, paths, file, { otherCluster: '0123456789ab' })).rejects.toMatchObject({
      reason: 'RestoreRefused',
    });
  });

  test('puts it in place, and lets this VM join it, even after a crash and a reboot before each change', async () => {
    const whole = newVm();
    expect(await restore(whole, { otherCluster })).toBe(true);
    expect(whole.deleted).toEqual([secret]);
    expect(whole.host.files.text(database)).toBe(copySql);
    for (let mutation = 1; mutation <= whole.host.mutations; mutation += 1) {
      const machine = newVm();
      machine.host.crashBefore(mutation);
      await expect(restore(machine, { otherCluster })).rejects.toBeInstanceOf(Crash);
      await reboot(machine);
      expect(await restore(machine, { otherCluster })).toBe(true);
      expect(machine.faults).toEqual([]);
      expect(machine.host.files.text(database)).toBe(copySql);
      expect(new Set(machine.deleted)).toEqual(new Set([secret]));
    }
  });

  test('has a plan that says what becomes of the present cluster', async () => {
    const { host } = newVm();
    const copy = await judgeCopy(host, paths, file, { otherCluster });
    const plan = restorePlan(
      host,
      copy,
      restoreSteps(paths, copy, await restoreOf(host, paths, copy), servers),
    );
    expect(plan.join('\n')).toContain('The present cluster of this machine ends');
  });
});

describe('the daemon', () => {
  const shown = (path: string, state: string) => `FragmentPath=${path}\nUnitFileState=${state}\n`;

  test.each([
    ['is started again after a restore', '/etc/systemd/system/slipway.service', 'enabled', 1],
    ['is not started if it is disabled', '/etc/systemd/system/slipway.service', 'disabled', 0],
    ['is not started if systemd does not know it', '', '', 0],
  ])('%s', async (_, path, state, starts) => {
    const { host } = world();
    host
      .on({ file: 'systemctl', args: /^show slipway\.service/ }, shown(path, state))
      .on({ file: 'systemctl', args: ['start', '--no-block', 'slipway.service'] });
    await daemonBack(host, paths);
    expect(host.mutations).toBe(starts);
  });

  test('of this machine is not started after a restore below another root', async () => {
    const { host } = world();
    host.on({ file: 'systemctl', args: /^show/ }, shown('/etc/systemd/system/slipway.service', 'enabled'));
    await daemonBack(host, nodePaths('/mnt'));
    expect(host.mutations).toBe(0);
  });
});

/** Returns the number of changes that a restore makes. */
async function counted(): Promise<number> {
  const machine = world();
  await restore(machine);
  return machine.host.mutations;
}

test('a damaged file of a restore also holds the node', async () => {
  const { host } = world();
  host.files.write(paths.slipway.restore, '{');
  expect(await held(host)).toBe('Waiting RestoreUnfinished');
});
