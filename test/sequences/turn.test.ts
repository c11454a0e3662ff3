import { describe, expect, test } from 'vitest';
import type { Agent } from '../../src/agent/agent.ts';
import { readTurn } from '../../src/agent/parts/maintenance/index.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { Crash } from '../lab/memory-host.ts';
import { booted, condition, isReady, live, noRestarts, registry, type Vm, vm } from '../scenario/a-vm.ts';
import { annotationsOf } from '../scenario/cluster.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const paths = nodePaths('/');

function configure({ host }: Vm, text: string): void {
  host.files.write('/etc/slipway/config.d/later.yaml', text);
}

const debug = 'k3s: { config: { debug: true } }\n';

function turnOf(machine: Vm, name: string) {
  return readTurn(annotationsOf(machine, name));
}

/** Returns the steps of a turn in the journal, from `length` on. */
function steps({ host }: Vm, length: number): readonly string[] {
  return host.journal.slice(length).flatMap((action) => {
    if (action.kind === 'run') {
      return [action.command];
    }
    const said = action.kind === 'send' ? `${action.body ?? ''}` : '';
    const [, what] = /turn-(request|state)/.exec(said) ?? [];
    const [, state = ''] = /\\"state\\":\\"(\w+)/.exec(said) ?? [];
    if (said.includes('unschedulable')) {
      return [said.includes('"unschedulable":true') ? 'cordon' : 'uncordon'];
    }
    return what ? [`${what} ${state}`.trim()] : [];
  });
}

function message(report: Awaited<ReturnType<Agent['pass']>>, type: string): string {
  return report.conditions.find((each) => each.type === type)?.message ?? '';
}

/** Boots an agent whose server grants turns only if `grants` is true. */
async function without(grants: boolean, settings = '') {
  const made = await booted('agent', `${noRestarts}${settings}`);
  made.machine.granter.isGranting = grants;
  return made;
}

describe('a change of the configuration', () => {
  test.each(['server', 'agent'])('restarts K3s of a %s once, in the turn of the node', async (role) => {
    const { machine, slipway } = await booted(role);
    const { length } = machine.host.journal;
    configure(machine, debug);
    const report = await live(slipway, machine, 10 * minute);
    expect(machine.units.starts).toBe(2);
    expect(condition(report, 'Maintenance')).toBe('True InSync');
    expect(condition(report, 'Ready')).toBe('True InSync');
    expect(steps(machine, length)).toEqual([
      'request',
      'state begun',
      `systemctl restart --no-block ${role === 'server' ? 'k3s' : 'k3s-agent'}.service`,
      'state done',
    ]);
    const { request, state } = turnOf(machine, `${role}-1`);
    expect(request).toBeUndefined();
    expect(state).toMatchObject({ state: 'done', wish: 'restart config' });
  });

  test('waits as long as no server grants a turn, while the node stays Ready', async () => {
    const { machine, slipway } = await without(false);
    configure(machine, debug);
    await live(slipway, machine, 10 * minute);
    const { length } = machine.host.journal;
    const report = await live(slipway, machine, 90 * minute);
    expect(machine.units.starts).toBe(1);
    expect(condition(report, 'Ready')).toBe('True InSync');
    expect(condition(report, 'Maintenance')).toBe('Unknown TurnAwaited');
    expect(message(report, 'Maintenance')).toMatch(/^"restart config" waits until a server/);
    expect(message(report, 'K3sRunning')).toMatch(/a restart for config is due/);
    expect(
      machine.host
        .lines()
        .slice(length)
        .filter((line) => !/registr|oauth2|pull-proof|logins/.test(line)),
    ).toEqual([]);
  });

  test('withdraws its request for a turn once it is reverted', async () => {
    const { machine, slipway } = await without(false);
    configure(machine, debug);
    await live(slipway, machine, minute);
    expect(turnOf(machine, 'agent-1').request).toMatchObject({ wish: 'restart config', kind: 'restart' });
    configure(machine, '');
    await live(slipway, machine, 6 * minute);
    expect(turnOf(machine, 'agent-1').request).toBeUndefined();
    machine.granter.isGranting = true;
    await live(slipway, machine, hour);
    expect(machine.units.starts).toBe(1);
  });

  test('replaces the wish of an earlier change that still waits, and one restart applies both', async () => {
    const { machine, slipway } = await without(false);
    configure(machine, debug);
    await live(slipway, machine, minute);
    const first = turnOf(machine, 'agent-1').request;
    configure(
      machine,
      `${debug}registries: { mirrors: { docker.io: { endpoint: ["https://mirror.example"] } } }\n`,
    );
    await live(slipway, machine, 6 * minute);
    const second = turnOf(machine, 'agent-1').request;
    expect(second?.wish).toBe('restart config, registries');
    expect(second?.digest).not.toBe(first?.digest);
    machine.granter.isGranting = true;
    await live(slipway, machine, 10 * minute);
    expect(machine.units.starts).toBe(2);
  });

  test('restarts K3s without a turn if a person requests this', async () => {
    const { machine } = await without(false);
    configure(machine, debug);
    await live(machine.slipway(undefined, { isByPerson: true }), machine, 10 * minute);
    expect(machine.units.starts).toBe(2);
    expect(turnOf(machine, 'agent-1').request).toBeUndefined();
  });
});

describe('a maintenance window', () => {
  const night = 'maintenance: { windows: [{ from: "01:00", to: "05:00" }] }\n';

  test('holds back a restart until it opens, and shows when', async () => {
    const { machine, slipway } = await without(true, night);
    machine.host.advance(Date.UTC(2026, 0, 2, 6) - machine.host.now());
    configure(machine, debug);
    await live(slipway, machine, 18 * hour);
    const before = await live(slipway, machine, minute, isReady);
    expect(machine.units.starts).toBe(1);
    expect(condition(before, 'Maintenance')).toBe('Unknown WindowClosed');
    expect(condition(before, 'Ready')).toBe('True InSync');
    expect(message(before, 'Maintenance')).toContain('the next opens at 2026-01-03T01:00Z');
    expect(turnOf(machine, 'agent-1').request?.closed).toBe(true);
    await live(slipway, machine, 70 * minute);
    expect(machine.units.starts).toBe(2);
  });

  test('does not hold back a restart for expiring credentials', async () => {
    const { machine, slipway } = await booted('agent', `registries: { onRotate: restart }\n${night}`);
    machine.host.advance(Date.UTC(2026, 0, 2, 6) - machine.host.now());
    const { starts } = machine.units;
    await live(slipway, machine, 3 * hour);
    expect(machine.units.starts).toBeGreaterThan(starts);
  });

  test('does not end a turn that has begun', async () => {
    const { machine, slipway } = await without(true, night);
    machine.host.advance(Date.UTC(2026, 0, 3, 4, 59, 30) - machine.host.now());
    configure(machine, debug);
    const begun = await live(
      slipway,
      machine,
      20_000,
      () => turnOf(machine, 'agent-1').state?.state === 'begun',
    );
    expect(machine.units.starts).toBe(1);
    machine.host.advance(10 * minute);
    expect(begun.outcomes).not.toEqual([]);
    await live(slipway, machine, 10 * minute);
    expect(machine.units.starts).toBe(2);
    expect(turnOf(machine, 'agent-1').state?.state).toBe('done');
  });
});

describe('a repair without a turn', () => {
  test('restarts K3s at once if the API does not accept the credential of the node', async () => {
    const { machine, slipway } = await without(false);
    const { length } = machine.host.journal;
    machine.users[Object.keys(machine.users).at(-1) ?? ''] = { name: 'system:anonymous', groups: [] };
    configure(machine, debug);
    await live(slipway, machine, 3 * minute);
    expect(machine.units.starts).toBe(2);
    const lines = machine.host.lines().slice(length).join('\n');
    expect(lines).toContain('/run/slipway/turn.json');
    expect(JSON.stringify(machine.events)).toContain('does not accept the credential');
  });

  test('restarts K3s after ten minutes without an answer if the change can be the cure', async () => {
    const { machine, slipway } = await without(false);
    machine.kubernetes.isUp = () => false;
    configure(machine, debug);
    await live(slipway, machine, 9 * minute);
    expect(machine.units.starts).toBe(1);
    await live(slipway, machine, 4 * minute);
    expect(machine.units.starts).toBe(2);
  });

  test('leaves K3s alone while the API does not answer if the change cannot be the cure', async () => {
    const { machine, slipway } = await without(false);
    machine.kubernetes.isUp = () => false;
    configure(machine, 'registries: { mirrors: { docker.io: { endpoint: ["https://mirror.example"] } } }\n');
    const report = await live(slipway, machine, 30 * minute);
    expect(machine.units.starts).toBe(1);
    expect(condition(report, 'Maintenance')).toBe('Unknown ApiUnavailable');
  });

  test('starts a K3s that is not running', async () => {
    const { machine, slipway } = await without(false);
    await machine.host.run({ file: 'systemctl', args: ['stop', '--no-block', 'k3s-agent.service'] });
    await live(slipway, machine, 6 * minute);
    expect(machine.units.isActive(/^k3s-agent/)).toBe(true);
  });

  test('restarts K3s at once if the cluster has lost the Node', async () => {
    const { machine, slipway } = await without(false);
    machine.kubernetes.objects.remove('nodes', undefined, 'agent-1');
    configure(machine, debug);
    await live(slipway, machine, 6 * minute, isReady);
    expect(machine.units.starts).toBe(2);
  });
});

describe('another program that interrupts nodes', () => {
  test('keeps the node from asking for a turn until the settings consent', async () => {
    const { machine, slipway } = await without(true);
    machine.host.files.write(
      '/etc/apt/apt.conf.d/51auto',
      '// mine\nUnattended-Upgrade::Automatic-Reboot "true";\n',
    );
    configure(machine, debug);
    const report = await live(slipway, machine, hour);
    expect(machine.units.starts).toBe(1);
    expect(condition(report, 'Maintenance')).toBe('False OtherActor');
    expect(condition(report, 'Ready')).toBe('True OtherActor');
    expect(message(report, 'Maintenance')).toContain('otherActors: [unattended-upgrades]');
    expect(turnOf(machine, 'agent-1').request).toBeUndefined();
    configure(machine, `${debug}consent: { otherActors: [unattended-upgrades] }\n`);
    await live(slipway, machine, 10 * minute);
    expect(machine.units.starts).toBe(2);
  });
});

describe('a turn with a drain', () => {
  const drain = 'maintenance: { drain: { restart: true } }\n';

  function isCordoned({ kubernetes }: Vm): boolean {
    return Object(kubernetes.objects.get('nodes', undefined, 'agent-1')?.spec).unschedulable === true;
  }

  test('cordons the node, restarts K3s, and uncordons the node', async () => {
    const { machine, slipway } = await without(true, drain);
    const { length } = machine.host.journal;
    configure(machine, `${debug}`);
    await live(slipway, machine, 10 * minute);
    expect(steps(machine, length)).toEqual([
      'request',
      'state begun',
      'cordon',
      'systemctl restart --no-block k3s-agent.service',
      'uncordon',
      'state done',
    ]);
    expect(isCordoned(machine)).toBe(false);
  });

  test('does not cordon a node whose pods could go nowhere', async () => {
    const { machine, slipway } = await without(true, drain);
    machine.granter.nowhere = true;
    const { length } = machine.host.journal;
    configure(machine, debug);
    await live(slipway, machine, 10 * minute);
    expect(steps(machine, length)).not.toContain('cordon');
    expect(machine.units.starts).toBe(2);
  });

  test('ends with one restart, no cordon and no request after a crash before any mutation', async () => {
    const whole = await turned(drain);
    const { mutations } = whole.host;
    expect(mutations).toBeGreaterThan(8);
    for (let mutation = 1; mutation <= mutations; mutation += 1) {
      const machine = await turned(drain, mutation);
      expect(machine.units.starts).toBe(2);
      expect(isCordoned(machine)).toBe(false);
      expect(turnOf(machine, 'agent-1').request).toBeUndefined();
      expect(turnOf(machine, 'agent-1').state?.state).toBe('done');
    }
  }, 120_000);

  test('ends uncordoned after a reboot before any mutation', async () => {
    const { mutations } = (await turned(drain)).host;
    for (let mutation = 1; mutation <= mutations; mutation += 1) {
      const machine = await turned(drain, mutation, (each) => each.reboot());
      expect(machine.units.starts).toBeLessThanOrEqual(3);
      expect(isCordoned(machine)).toBe(false);
      expect(turnOf(machine, 'agent-1').request).toBeUndefined();
      expect(turnOf(machine, 'agent-1').state?.state ?? 'done').toBe('done');
    }
  }, 120_000);

  /**
   * Lets an agent take a turn. If `crashBefore` is set, its daemon crashes before that mutation, and `then` runs before
   * a new daemon starts.
   */
  async function turned(
    settings: string,
    crashBefore?: number,
    then: (machine: Vm) => Promise<void> = async () => {},
  ): Promise<Vm> {
    const { machine } = await without(true, settings);
    machine.host.restart();
    configure(machine, debug);
    if (crashBefore !== undefined) {
      machine.host.crashBefore(crashBefore);
    }
    await live(machine.slipway(), machine, 10 * minute).catch(onlyCrash);
    if (crashBefore !== undefined) {
      expect(machine.host.crashed).toBe(true);
      machine.host.restart();
      await then(machine);
      const report = await live(machine.slipway(), machine, 10 * minute);
      expect(condition(report, 'Maintenance')).toBe('True InSync');
      expect(condition(report, 'Ready')).toBe('True InSync');
    }
    return machine;
  }
});

function onlyCrash(thrown: unknown): void {
  if (!(thrown instanceof Crash)) {
    throw thrown;
  }
}

test('a plan of a node that waits for its window shows the wait', async () => {
  const night = 'maintenance: { windows: [{ from: "01:00", to: "05:00" }] }\n';
  const { machine, slipway } = await without(true, night);
  machine.host.advance(Date.UTC(2026, 0, 2, 6) - machine.host.now());
  configure(machine, debug);
  await live(slipway, machine, minute);
  const report = await machine.slipway().pass();
  const restart = report.outcomes.find(({ resource }) => resource.id === 'Service/restart');
  expect(restart).toMatchObject({ state: 'Waiting', reason: 'WindowClosed' });
});

test('a first boot asks for no turn', async () => {
  const machine = vm('agent', noRestarts);
  machine.granter.isGranting = false;
  await live(machine.slipway(), machine, minute, isReady);
  expect(machine.host.lines().join('\n')).not.toContain('turn');
  expect(paths.slipway.turn).toBe('/run/slipway/turn.json');
  expect(machine.host.files.stat(paths.slipway.turn)).toBeUndefined();
  expect(registry).toBe('team.azurecr.io');
  expect(day).toBe(24 * hour);
});
