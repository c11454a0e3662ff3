import { expect } from 'vitest';
import { findRole, namesOf, roles } from '../../src/roles/index.ts';
import { Crash } from '../lab/memory-host.ts';
import { engineSettings, isReady, live, type Vm, vm } from './a-vm.ts';

const minute = 60_000;

/**
 * A row of role, GitOps engine and settings for each role; for a role that hands over a cluster, a row for each engine.
 */
export const firstBoots = namesOf(roles).flatMap((role) =>
  findRole(role)?.gitops
    ? Object.entries(engineSettings).map(([engine, settings]) => [role, engine, settings] as const)
    : [[role, 'none', ''] as const],
);

type FirstBoot = (typeof firstBoots)[number];

/** True if `npm test` crashes this first boot. As this takes long, `npm run test:sequences` crashes the others. */
export function isUsual([role]: FirstBoot): boolean {
  return role === 'agent';
}

export interface FirstBootOptions {
  /** The milliseconds within which the node is Ready. */
  readonly within?: number;
  /** Prepares each VM before its first boot. */
  readonly prepare?: (machine: Vm) => void;
}

/**
 * Checks that a node reaches the same state even after a crash before any of the mutations of its first boot, each time
 * with one start of K3s.
 */
export async function survivesEveryCrash(
  role: string,
  settings: string,
  { within = minute, prepare = () => {} }: FirstBootOptions = {},
): Promise<void> {
  const made = () => {
    const machine = vm(role, settings);
    prepare(machine);
    return machine;
  };
  const whole = made();
  await live(whole.slipway(), whole, within, isReady);
  const { mutations } = whole.host;
  expect(mutations).toBeGreaterThan(12);
  for (let mutation = 1; mutation <= mutations; mutation += 1) {
    const machine = made();
    machine.host.crashBefore(mutation);
    await live(machine.slipway(), machine, within, isReady).catch(onlyCrash);
    expect(machine.host.crashed).toBe(true);
    machine.host.restart();
    const report = await live(machine.slipway(), machine, within + minute, isReady);
    expect(report.outcomes.filter(({ state }) => state !== 'InSync')).toEqual([]);
    expect(machine.units.starts).toBe(1);
    expect(endState(machine)).toEqual(endState(whole));
  }
}

/** Returns the VM's files, without the files, timestamps and ids that differ from one first boot to another. */
function endState({ host }: ReturnType<typeof vm>): unknown {
  const times =
    /"(iat|exp|jti)":[^,}]+|\\"resourceVersion\\":[^,}]+|\\+"at\\+": ?\d+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
  return Object.entries(host.files.snapshot())
    .filter(([path]) => !path.startsWith('/run/') && !/\/(registries\.yaml|logins\.json|.+\.crt)$/.test(path))
    .map(([path, node]) => [
      path,
      JSON.stringify(node)
        .replace(/"modifiedAt":\d+,?/, '')
        .replace(times, ''),
    ]);
}

function onlyCrash(thrown: unknown): void {
  if (!(thrown instanceof Crash)) {
    throw thrown;
  }
}
