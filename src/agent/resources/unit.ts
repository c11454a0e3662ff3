import { NodeError } from '../engine/errors.ts';
import type { Command, CommandResult, HostReader } from '../engine/host.ts';
import { remembering } from '../engine/remembering.ts';
import { type ConditionType, compare, type Resource } from '../engine/resource.ts';
import { forPerson } from '../engine/severity.ts';

export interface UnitSpec {
  /** The name of the unit with its suffix: `k3s.service`. */
  readonly unit: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
}

/**
 * Makes systemd load the unit file at `path` whenever the loaded unit differs from the file. Another file of the same
 * name does not count, such as this machine's own file if `path` is below another root. Throws `UnitMasked` if the unit
 * is masked.
 */
export function unitLoaded({ unit, path, ...rest }: UnitSpec & { readonly path: string }): Resource {
  return {
    ...rest,
    id: `UnitLoaded/${unit}`,
    summary: 'systemctl daemon-reload',
    async check(host) {
      const shown = await showUnit(host, unit, ['LoadState', 'FragmentPath', 'NeedDaemonReload']);
      if (shown.LoadState === 'masked') {
        throw masked(unit);
      }
      // After an error, such as EBUSY on a full disk, systemd does not read the file again until a reload.
      const isStale = shown.NeedDaemonReload === 'yes' || shown.LoadState === 'error';
      return compare(
        { file: shown.FragmentPath, stale: isStale },
        { file: path, stale: false },
        async (host) => void (await host.run(systemctl('daemon-reload'))),
      );
    },
  };
}

function masked(unit: string): NodeError {
  return new NodeError(
    'UnitMasked',
    `${unit} is masked, so systemd does not start it: systemctl unmask ${unit}.`,
    forPerson,
  );
}

/** Keeps the unit enabled, so that systemd starts it at boot. */
export function unitEnabled({ unit, ...rest }: UnitSpec): Resource {
  return {
    ...rest,
    id: `UnitEnabled/${unit}`,
    summary: `systemctl enable ${unit}`,
    async check(host) {
      const { UnitFileState } = await showUnit(host, unit, ['UnitFileState']);
      return compare(
        { enabled: UnitFileState },
        { enabled: 'enabled' },
        async (host) => void (await host.run(systemctl('enable', unit))),
      );
    },
  };
}

export function systemctl(...args: readonly string[]): Command {
  return { file: 'systemctl', args };
}

/** The properties that checks need, which one command shows for all checks of a pass (engine/asking-once.ts). */
const usual: readonly string[] = [
  ...['LoadState', 'FragmentPath', 'NeedDaemonReload', 'UnitFileState', 'ActiveState', 'SubState', 'Result'],
  ...['NRestarts', 'InvocationID', 'ExecMainStatus', 'ExecMainStartTimestampMonotonic', 'Job', 'ExecStart'],
];

/** The units whose usual properties were asked for on each machine. */
const unitsAsked = new WeakMap<HostReader, Set<string>>();

/**
 * Returns the named properties of a unit; `''` for a property that systemd does not show (systemctl(1), show). Shows
 * all units that were asked for on this machine with one command, so that a pass starts one process for all of them.
 */
export async function showUnit<Name extends string>(
  host: HostReader,
  unit: string,
  names: readonly Name[],
): Promise<Readonly<Record<Name, string>>> {
  if (!names.every((name) => usual.includes(name))) {
    return properties(await shown(host, [unit], names), names, unit);
  }
  const asked = unitsAsked.get(host) ?? new Set();
  unitsAsked.set(host, asked.add(unit));
  return properties(await reportOf(host, unit, [...asked]), names, unit);
}

/**
 * Returns the usual properties of a unit, as shown with those of other units. Asks for the unit alone if systemctl does
 * not report every unit.
 */
async function reportOf(host: HostReader, unit: string, units: readonly string[]): Promise<string> {
  const text = await shown(host, units, usual);
  if (units.length === 1) {
    return text;
  }
  const blocks = blocksOf(text);
  const block = blocks.length === units.length ? blocks[units.indexOf(unit)] : undefined;
  return block ?? shown(host, [unit], usual);
}

async function shown(host: HostReader, units: readonly string[], names: readonly string[]): Promise<string> {
  return (await host.query(systemctl('show', ...units, '-p', names.join(',')))).stdout;
}

/** Returns the reports of the units in the output of `systemctl show`, which empty lines separate. */
function blocksOf(text: string): readonly string[] {
  return text.split(/\n\n+/).filter((block) => block.trim() !== '');
}

/**
 * Returns the named properties of several units, in order, with one command. If systemctl does not report every unit,
 * throws `CommandFailed`, since a missing report does not mean that a unit is stopped; returns an empty list instead if
 * `isBooted` is false.
 */
export async function showUnits<Name extends string>(
  host: HostReader,
  units: readonly string[],
  names: readonly Name[],
  root: string,
): Promise<readonly Readonly<Record<Name, string>>[]> {
  const result = await host.query(systemctl('show', ...units, '-p', names.join(',')));
  const blocks = blocksOf(result.stdout);
  if (result.exitCode === 0 && blocks.length === units.length) {
    return blocks.map((block, index) => properties(block, names, units[index] ?? ''));
  }
  if (await isBooted(host, root)) {
    throw notShown(units, result);
  }
  return [];
}

/** True if systemd runs this machine (sd_booted(3)) and `root` is this machine, not an image. */
export async function isBooted(host: HostReader, root: string): Promise<boolean> {
  return root === '/' && (await host.stat('/run/systemd/system')) !== undefined;
}

function notShown(units: readonly string[], { exitCode, stderr }: CommandResult): NodeError {
  return new NodeError(
    'CommandFailed',
    `systemctl show ${units.join(' ')} did not report whether they run (exit code ${exitCode}): ${stderr.trim() || 'no message'}. ` +
      'No unit counts as stopped until it does: see systemctl status, and run this again.',
  );
}

function properties<Name extends string>(
  text: string,
  names: readonly Name[],
  unit: string,
): Readonly<Record<Name, string>> {
  const found = shownProperties(text, unit);
  return Object.fromEntries(names.map((name) => [name, found.get(name) ?? ''])) as Record<Name, string>;
}

/** The properties of a unit, which several checks of a pass read in the same text. */
const shownProperties = remembering((text) => new Map(text.split('\n').map((line) => splitOnce(line))));

function splitOnce(line: string): readonly [string, string] {
  const at = line.indexOf('=');
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}
