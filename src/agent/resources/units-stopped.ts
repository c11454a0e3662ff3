import { join } from 'node:path';
import type { Command, HostReader } from '../core/host.ts';
import { type Change, type ConditionType, type Finding, inSync, type Resource } from '../core/resource.ts';
import { showUnits, systemctl } from './unit.ts';

export interface UnitsStoppedSpec {
  readonly id: string;
  readonly summary: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
  /** With their suffixes; what systemd does not know is as good as stopped. */
  readonly units: readonly string[];
  /** Only units whose files are below it: a machine's own are never taken for those of another root. */
  readonly root: string;
  /** Whether they must not start at boot either. */
  readonly forGood: boolean;
}

/** Milliseconds: systemd gives a service 90 s to end before it kills it (DefaultTimeoutStopSec). */
const longestStop = 120_000;

const names = ['FragmentPath', 'ActiveState', 'UnitFileState'] as const;
type Shown = Readonly<Record<(typeof names)[number], string>>;

/** systemd runs none of the units, nor starts one at boot. Their files stay. One look asks for all of them. */
export function unitsStopped({ units, root, forGood, ...rest }: UnitsStoppedSpec): Resource {
  return {
    ...rest,
    async check(host) {
      const found = await look(host, units, root);
      const busy = found.filter(({ shown }) => isActive(shown) || (forGood && isEnabled(shown)));
      return busy.length === 0 ? inSync() : drifted(busy, forGood);
    },
  };
}

interface Found {
  readonly unit: string;
  readonly shown: Shown;
}

async function look(host: HostReader, units: readonly string[], root: string): Promise<readonly Found[]> {
  const shown = await showUnits(host, units, names);
  return units
    .flatMap((unit, at) => (shown[at] ? [{ unit, shown: shown[at] }] : []))
    .filter((each) => each.shown.FragmentPath.startsWith(join(root, '/')));
}

function isActive({ ActiveState }: Shown): boolean {
  return !['inactive', 'failed', ''].includes(ActiveState);
}

function isEnabled({ UnitFileState }: Shown): boolean {
  return UnitFileState.startsWith('enabled');
}

function drifted(busy: readonly Found[], forGood: boolean): Finding {
  const changes = busy.map(({ unit, shown }): Change => {
    const observed = [shown.ActiveState, shown.UnitFileState].filter(Boolean).join(' and ');
    return { field: unit, observed, desired: forGood ? 'inactive and disabled' : 'inactive' };
  });
  const command = stopping(busy, forGood);
  return { state: 'Drifted', drift: { changes, remedy: async (host) => void (await host.run(command)) } };
}

/** A unit whose file is gone can be stopped, but not disabled. */
function stopping(busy: readonly Found[], forGood: boolean): Command {
  const disables = forGood && busy.some(({ shown }) => isEnabled(shown));
  const units = busy.map(({ unit }) => unit);
  return { ...systemctl(...(disables ? ['disable', '--now'] : ['stop']), ...units), timeout: longestStop };
}
