import { join } from 'node:path';
import type { Command, Host, HostReader } from '../engine/host.ts';
import { type Change, type ConditionType, type Finding, inSync, type Resource } from '../engine/resource.ts';
import { showUnits, systemctl } from './unit.ts';

export interface UnitsStoppedSpec {
  readonly id: string;
  readonly summary: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
  /** The names of the units with their suffixes. */
  readonly units: readonly string[];
  /**
   * The root directory of the units to stop; a unit whose file is not below it is ignored. A unit that still runs after
   * its file was deleted belongs to the root `/`.
   */
  readonly root: string;
  /** True if the units must not start at boot either. */
  readonly forGood: boolean;
}

/**
 * The time limit of a stop in milliseconds. systemd kills a service that has not ended after 90 s
 * (DefaultTimeoutStopSec).
 */
const longestStop = 120_000;

const names = ['FragmentPath', 'ActiveState', 'UnitFileState'] as const;
type Shown = Readonly<Record<(typeof names)[number], string>>;

/**
 * Keeps the units stopped and, with `forGood`, disabled. Does not remove their files. One command reads the state of
 * all units. Throws `CommandFailed` if systemd does not report every unit: a missing report does not mean that the unit
 * is stopped.
 */
export function unitsStopped({ units, root, forGood, ...rest }: UnitsStoppedSpec): Resource {
  return {
    ...rest,
    async check(host) {
      const found = await lookAtUnits(host, units, root);
      const busy = found.filter(({ shown }) => isActive(shown) || (forGood && isEnabled(shown)));
      return busy.length === 0 ? inSync() : toStop(busy, forGood);
    },
  };
}

interface Found {
  readonly unit: string;
  readonly shown: Shown;
}

async function lookAtUnits(
  host: HostReader,
  units: readonly string[],
  root: string,
): Promise<readonly Found[]> {
  const shown = await showUnits(host, units, names, root);
  return units
    .flatMap((unit, at) => (shown[at] ? [{ unit, shown: shown[at] }] : []))
    .filter((each) => isBelow(root, each.shown));
}

function isBelow(root: string, { FragmentPath }: Shown): boolean {
  return FragmentPath === '' ? root === '/' : FragmentPath.startsWith(join(root, '/'));
}

export function isActive({ ActiveState }: Pick<Shown, 'ActiveState'>): boolean {
  return !['inactive', 'failed', ''].includes(ActiveState);
}

function isEnabled({ UnitFileState }: Shown): boolean {
  return UnitFileState.startsWith('enabled');
}

function toStop(busy: readonly Found[], forGood: boolean): Finding {
  const changes = busy.map(({ unit, shown }): Change => {
    const observed = [shown.ActiveState, shown.UnitFileState].filter(Boolean).join(' and ');
    return { field: unit, observed, desired: forGood ? 'inactive and disabled' : 'inactive' };
  });
  return { state: 'Drifted', drift: { changes, remedy: (host) => stopUnits(host, busy, forGood) } };
}

/**
 * Stops units and, if wanted, disables those that start at boot. A unit without a file, or a transient one, can only be
 * stopped, and needs a separate command, since the unit would make the command that disables the others fail.
 */
async function stopUnits(host: Host, busy: readonly Found[], forGood: boolean): Promise<void> {
  const disabled = busy.filter(({ shown }) => forGood && shown.FragmentPath !== '' && isEnabled(shown));
  const stopped = busy.filter((each) => !disabled.includes(each));
  if (disabled.length > 0) {
    await host.run(stopCommand(['disable', '--now'], disabled));
  }
  if (stopped.length > 0) {
    await host.run(stopCommand(['stop'], stopped));
  }
}

function stopCommand(verb: readonly string[], found: readonly Found[]): Command {
  return { ...systemctl(...verb, ...found.map(({ unit }) => unit)), timeout: longestStop };
}
