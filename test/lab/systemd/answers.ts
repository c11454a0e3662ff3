/** The messages and exit codes of systemctl (systemd 252: src/systemctl, src/shared/bus-wait-for-jobs.c). */
import type { Service } from './service.ts';
import type { Options, Reply } from './socket.ts';

/** Units that every booted host has. The lab does not start or stop them. */
export const systemUnits = [
  'systemd-sysctl.service',
  'systemd-modules-load.service',
  'systemd-journald.service',
  'network-online.target',
  'multi-user.target',
];

export function foreign(unit: string): Record<string, string> {
  const there = systemUnits.includes(unit);
  return {
    ...(there ? { Type: 'oneshot' } : {}),
    MainPID: '0',
    Result: 'success',
    NRestarts: '0',
    ExecMainStatus: '0',
    Id: unit,
    Names: unit,
    Description: unit,
    LoadState: there ? 'loaded' : 'not-found',
    ActiveState: there ? 'active' : 'inactive',
    SubState: there ? 'exited' : 'dead',
    UnitFileState: there ? 'static' : '',
    NeedDaemonReload: 'no',
    Job: '',
    InvocationID: '',
  };
}

/**
 * Renders the requested properties in systemd's order, or all properties that are not empty if none is requested. Omits
 * unknown names.
 */
export function shown(properties: Readonly<Record<string, string>>, options: Options): string {
  const asked = options.properties;
  return Object.entries(properties)
    .filter(([name, value]) => (asked.length === 0 ? value !== '' : asked.includes(name)))
    .map(([name, value]) => (options.value ? `${value}\n` : `${name}=${value}\n`))
    .join('');
}

export function isActive(
  verb: string,
  service: Service | undefined,
  ofTheSystem: boolean,
  options: Options,
): Reply {
  const state = ofTheSystem ? 'active' : (service?.state.active ?? 'inactive');
  const yes = verb === 'is-failed' ? state === 'failed' : state === 'active';
  const no = verb === 'is-failed' ? 1 : 3;
  return { exitCode: yes ? 0 : no, stdout: options.quiet ? '' : `${state}\n`, stderr: '' };
}

export function notFound(verb: string, unit: string): Reply {
  if (verb === 'enable' || verb === 'disable') {
    return failed(`Failed to ${verb} unit: Unit file ${unit} does not exist.\n`);
  }
  if (verb === 'reset-failed') {
    return failed(`Failed to reset failed state of unit ${unit}: Unit ${unit} not loaded.\n`);
  }
  if (verb === 'stop') {
    return { ...failed(`Failed to stop ${unit}: Unit ${unit} not loaded.\n`), exitCode: 5 };
  }
  return { ...failed(`Failed to ${verb} ${unit}: Unit ${unit} not found.\n`), exitCode: 5 };
}

export function fullName(unit: string): string {
  return /\.(service|target|timer|socket|mount)$/.test(unit) ? unit : `${unit}.service`;
}

export function timestamp(time: number): string {
  if (time === 0) {
    return '';
  }
  const [day, month, date, year, clock] = new Date(time)
    .toUTCString()
    .replace(/^(\w+), (\d+) (\w+) (\d+) (.+) GMT$/, '$1 $3 $2 $4 $5')
    .split(' ');
  const number = String(
    ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'].indexOf(
      month ?? '',
    ) + 1,
  );
  return `${day} ${year}-${number.padStart(2, '0')}-${date} ${clock} UTC`;
}

export function ok(stdout = ''): Reply {
  return { exitCode: 0, stdout, stderr: '' };
}

export function failed(stderr: string): Reply {
  return { exitCode: 1, stdout: '', stderr };
}
