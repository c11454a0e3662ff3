import { commandLine } from '../../../engine/command-line.ts';
import type { HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource, step, waiting } from '../../../engine/resource.ts';
import { advisory } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { neverBlocking } from '../../../resources/combinators.ts';
import { systemctl } from '../../../resources/unit.ts';
import type { Gate, Wish } from '../../k3s/index.ts';
import { type BootTime, bootTime } from '../boot-time.ts';
import { forPackages, type RebootCause, rebootCause } from './cause.ts';
import { day, type RebootRecord, readReboot, rebootsBefore, writeReboot } from './record.ts';

/** How long a reboot may take to begin, in seconds. */
const patience = 600;
/** The seconds after which the command is repeated, in case a crash prevented it. */
const again = 60;

const reboot = systemctl('reboot');

/**
 * Reports that the distribution asks for a reboot. With `maintenance.reboot: auto`, asks the gate, and then reboots the
 * machine: once for each cause. A cause that is there again within a day after the reboot, and a reboot that does not
 * happen within ten minutes, are reported and left to a person.
 */
export function rebooted(node: K3sNode, gate: Gate, needs: readonly string[]): Resource {
  return neverBlocking({
    id: 'Reboot/machine',
    summary: commandLine(reboot),
    condition: 'Maintenance',
    needs,
    async check(host) {
      const [cause, record] = await Promise.all([
        rebootCause(host, node.paths),
        readReboot(host, node.paths),
      ]);
      if (cause === undefined && record === undefined) {
        return inSync();
      }
      return judge(host, { node, gate, cause, record, time: await bootTime(host) });
    },
  });
}

/**
 * Returns why the reboot for the cause with this digest has to be given up; `undefined` if it has happened or may still
 * happen.
 */
export async function rebootGivenUp(
  host: HostReader,
  { paths }: Pick<K3sNode, 'paths'>,
  digest: string,
): Promise<string | undefined> {
  const record = await readReboot(host, paths);
  return record?.cause === digest && isOverdue(record, await bootTime(host))
    ? 'the machine did not reboot within ten minutes'
    : undefined;
}

interface Found {
  readonly node: K3sNode;
  readonly gate: Gate;
  readonly cause: RebootCause | undefined;
  readonly record: RebootRecord | undefined;
  readonly time: BootTime;
}

async function judge(host: HostReader, found: Found): Promise<Finding> {
  const { node, gate, cause, record, time } = found;
  const isOfThisBoot = record?.boot === time.boot;
  if (cause === undefined) {
    return record && !isOfThisBoot && time.seconds >= day ? forgetStep(node) : inSync();
  }
  if (record && isOverdue(record, time)) {
    return failed(
      `The machine did not reboot${forPackages(cause)} within ten minutes after systemctl reboot. systemctl list-jobs ` +
        'and systemd-inhibit --list show what may be in the way. Then run: systemctl reboot.',
    );
  }
  if (record && hasRebooted(record, cause, time)) {
    return failed(
      `The machine was rebooted${forPackages(cause)}, and the distribution asks for the same reboot again. Slipway does ` +
        `not reboot twice for one cause within a day: find out what asks (${node.paths.system.rebootRequired} or ` +
        `${node.paths.system.rebootNeeded}), or run: systemctl reboot.`,
    );
  }
  if (node.settings.maintenance.reboot === 'manual') {
    return required(cause);
  }
  const obstacle = await gate(host, rebootWish(cause));
  return obstacle ?? (isOfThisBoot && time.seconds - record.last < again ? underWay() : order(node, cause));
}

/** True if the reboot was ordered in this boot, so long ago that it will not happen. */
function isOverdue({ boot, since }: RebootRecord, time: BootTime): boolean {
  return boot === time.boot && time.seconds - since >= patience;
}

/** True if the machine was rebooted for this cause, at most a day ago unless it was the last reboot. */
function hasRebooted(record: RebootRecord, { digest }: RebootCause, time: BootTime): boolean {
  const isLast = record.cause === digest && record.boot !== time.boot;
  return isLast || rebootsBefore(record, time).some(({ cause }) => cause === digest);
}

function rebootWish({ digest }: RebootCause): Wish {
  return { kind: 'reboot', name: 'reboot', digest };
}

function order({ paths }: K3sNode, cause: RebootCause): Finding {
  const change = { field: 'reboot', observed: undefined, desired: `now${forPackages(cause)}` };
  return {
    state: 'Drifted',
    drift: {
      changes: [change],
      partial: true,
      due: true,
      async remedy(host) {
        const { boot, seconds } = await bootTime(host);
        const known = await readReboot(host, paths);
        const since = known?.boot === boot ? known.since : seconds;
        const earlier = rebootsBefore(known, { boot, seconds });
        await writeReboot(host, paths, { boot, cause: cause.digest, since, last: seconds, earlier });
        await host.run(reboot);
      },
    },
  };
}

function underWay(): Finding {
  return waiting('InTurn', 'The machine is about to reboot.', { isExpected: true, after: 10_000 });
}

/** Returns the step that forgets a reboot: a day later, nothing asks for another one. */
function forgetStep({ paths: { slipway } }: K3sNode): Finding {
  const change = { field: slipway.reboot, observed: 'the reboot has helped', desired: undefined };
  return step(change, (host) => host.remove(slipway.reboot));
}

function required(cause: RebootCause): Finding {
  const since = new Date(cause.since).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
  return waiting(
    'RebootRequired',
    `The distribution has asked for a reboot since ${since}${forPackages(cause)}. Drain the node and reboot it, or set ` +
      'maintenance.reboot: auto, so that it reboots in its turn.',
    { ...advisory, after: seldom },
  );
}

function failed(message: string): Finding {
  return waiting('RebootFailed', message, { ...advisory, after: seldom });
}

/** The milliseconds until the next look at what only a person can end. */
const seldom = 300_000;
