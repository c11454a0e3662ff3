/** The loop of `slipway run`: what wakes it, and what receives its reports. */
import { basename, dirname } from 'node:path';
import { type Report, run, type Span } from '../agent/agent.ts';
import type { Alarm } from '../agent/alarm.ts';
import { toNodeError } from '../agent/engine/errors.ts';
import { cronTicks } from '../agent/host/clock/cron-ticks.ts';
import { rotationSchedule } from '../agent/host/clock/rotation-schedule.ts';
import { type Watched, watchDirectories } from '../agent/host/files/directory-watch.ts';
import { createJobs } from '../agent/host/process/jobs.ts';
import { endWhenHung, longestPass } from '../agent/host/systemd/hung-pass.ts';
import type { Notifier } from '../agent/host/systemd/notify.ts';
import { eventMemory, turnMemory } from '../agent/parts/maintenance/index.ts';
import { nodePaths } from '../agent/paths.ts';
import { announcer } from '../agent/report/announce.ts';
import type { EventLog } from '../agent/report/log.ts';
import { readStatus, type Status, statusOf, writeStatus } from '../agent/report/status.ts';
import { statusLine } from '../agent/report/status-text.ts';
import { version } from '../launcher/version.ts';
import type { CommonOptions } from './cli-common.ts';
import { type Composition, compose } from './compose.ts';
import { eventWatch } from './event-watch.ts';
import { metricsExposition } from './expose-metrics.ts';
import { levelOf } from './open-log.ts';
import { turnWatch } from './turn-watch.ts';

/** The objects that the loop shares with `daemon`, which runs the loop. */
export interface DaemonPorts {
  readonly log: EventLog;
  readonly clock: Alarm;
  /** Aborted when the daemon must end. */
  readonly signal: AbortSignal;
  /** Aborts `signal`, logs the cause, and kills the process if it has not ended within seconds. */
  readonly stop: (by: string) => void;
  readonly systemd: Notifier;
}

/** Runs passes until the signal is aborted, or until the settings need a new process, which systemd starts. */
export async function daemonLoop(
  options: CommonOptions,
  { log, clock, signal, stop, systemd }: DaemonPorts,
): Promise<void> {
  const onOutdated = () => {
    throw new Outdated();
  };
  const jobs = createJobs({ root: options.root, onEnd: () => clock.ring('the end of a job') });
  const turns = turnMemory();
  const events = eventMemory();
  const composition = await compose(options, {
    emit: log.emit,
    onSettings: levelOf(log),
    jobs,
    turns,
    events,
    onOutdated,
  });
  const { agent, host } = composition;
  // Measured by the monotonic clock, because the time of day jumps when a VM wakes.
  let due = performance.now();
  const isAlive = () => performance.now() < due + longestPass;
  systemd.startWatchdog(isAlive);
  endWhenHung(isAlive, (by) => log.emit({ type: 'Stopped', by }));
  const warn = (message: string) => log.emit({ type: 'Warned', message });
  const ticks = rotationTicks(() => clock.ring('schedule'), warn);
  watchDirectories(settingsPlaces(options), () => clock.ring('a change of the settings'));
  const tell = publisher(composition, log, systemd, ticks);
  const measure = metricsExposition(composition, log.emit);
  const watch = turnWatch({ host, turns, signal, onAsked: () => clock.ring('a node that asks for a turn') });
  const watchEvents = eventWatch({
    host,
    eventsOf: ({ settings }) => composition.connect(settings).cloud.events,
    memory: events,
    signal,
    onNews: () => clock.ring('an event of the cloud'),
  });
  const announce = announcer({ host, version, emit: log.emit });
  const publish = async (report: Report, span: Span) => {
    due = performance.now() + report.wake.at - host.now();
    await tell(report);
    await measure(report, span);
    watch(report.knowledge.node.value);
    watchEvents(report.knowledge.node.value);
    // The loop does not wait for the announcement, because the API may be slow.
    if (!signal.aborted) {
      void announce(report);
    }
  };
  try {
    await run(agent, { host, alarm: clock, signal, publish, emit: log.emit });
  } catch (thrown) {
    if (!(thrown instanceof Outdated)) {
      throw thrown;
    }
    // The process can stop here: an outdated pass has changed nothing yet.
    stop('new settings for the network or the cloud, which need a new process');
  } finally {
    await jobs.end();
  }
}

/** Thrown by a pass whose settings need a new process. */
class Outdated extends Error {
  override readonly name = 'Outdated';
}

/**
 * Returns the places of the settings, of a hold and of the request for a backup; a change in any of them starts a pass
 * at once.
 */
function settingsPlaces({ root, config }: CommonOptions): readonly Watched[] {
  const { configLayers: layers, hold, backupRequest } = nodePaths(root).slipway;
  const entries = [...layers, hold, backupRequest, ...(config === undefined ? [] : [config])];
  const folders = layers.filter((path) => !path.endsWith('.yaml'));
  return [
    ...entries.map((path) => ({ directory: dirname(path), name: basename(path) })),
    ...folders.map((directory) => ({ directory })),
  ];
}

/**
 * Returns a function that calls `onTick` at each time of a schedule, shifted by this VM's delay. A different schedule
 * replaces the earlier one; the same schedule again changes nothing.
 */
function rotationTicks(
  onTick: () => void,
  warn: (message: string) => void,
): (schedule: string, vmId: string) => void {
  let current: { readonly schedule: string; readonly ticks: ReturnType<typeof cronTicks> } | undefined;
  return (schedule, vmId) => {
    if (current?.schedule === schedule) {
      return;
    }
    current?.ticks.stop();
    const { delay } = rotationSchedule(schedule, vmId);
    const onOwnTick = () => setTimeout(onTick, delay).unref();
    current = {
      schedule,
      ticks: cronTicks(schedule, onOwnTick, (level, message) => level !== 'debug' && warn(message)),
    };
  };
}

function publisher(
  { host, paths }: Composition,
  log: EventLog,
  systemd: Notifier,
  tickBy: ReturnType<typeof rotationTicks>,
): (report: Report) => Promise<void> {
  let status: Status | undefined;
  return async (report) => {
    const { node, identity } = report.knowledge;
    // Keeps the changes that the previous daemon recorded, for readers of the status; no decision depends on them.
    status ??= await readStatus(host, paths.slipway.status).catch(() => undefined);
    const before = status?.changes ?? [];
    status = statusOf(report, { version, pid: process.pid, now: host.now(), before });
    if (node.value && identity.value) {
      tickBy(node.value.settings.registries.schedule, identity.value.vmId);
    }
    await systemd.status(statusLine(status));
    // A full disk must not end the daemon: the journal and systemd still get the report.
    await writeStatus(host, paths.slipway.status, status).catch((thrown: unknown) =>
      log.emit({ type: 'Warned', message: toNodeError(thrown).message }),
    );
  };
}
