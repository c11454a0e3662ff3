/** The composition root: what each command does, and with what. */
import { converge, type Report, run } from './agent/agent.ts';
import { alarm } from './agent/alarm.ts';
import { type Commands, type CommonOptions, cli } from './agent/cli.ts';
import { explain, explainJson } from './agent/config/explain.ts';
import { toNodeError } from './agent/core/errors.ts';
import type { Event } from './agent/core/events.ts';
import type { Host } from './agent/core/host.ts';
import { cronTicks } from './agent/host/cron-ticks.ts';
import { acquireLock, isLocked } from './agent/host/lock.ts';
import { nodeHost } from './agent/host/node-host.ts';
import { type Notifier, notifier } from './agent/host/notify.ts';
import { logDestination, logTarget } from './agent/host/output.ts';
import { recordingHost } from './agent/host/recording-host.ts';
import { onSignals } from './agent/host/signals.ts';
import { spreadSchedule } from './agent/host/spread.ts';
import { stamp } from './agent/k3s/start-stamp.ts';
import { type EventLog, logEvents } from './agent/log.ts';
import { nodePaths } from './agent/paths.ts';
import { type PlannedStep, planText, planVerdict } from './agent/plan-text.ts';
import { readStatus, statusLine, statusOf, writeStatus } from './agent/publish.ts';
import { statusText } from './agent/status-text.ts';
import { type Composition, compose } from './compose.ts';
import { version, versionLine } from './version.ts';

/** Runs one command line, `process.argv` as Node gives it, and resolves to the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await cli(argv.slice(2), commands, { out, error });
  } catch (thrown) {
    const { reason, message } = toNodeError(thrown);
    error(`slipway: ${reason}: ${message}\n`);
    return 1;
  }
}

const commands = {
  run: daemon,
  plan,
  apply,
  status,
  config,
  async version() {
    out(`${versionLine}\n`);
    return 0;
  },
  async stamp({ root }: CommonOptions) {
    await stamp(nodeHost(), nodePaths(root), { invocationId: process.env.INVOCATION_ID });
    return 0;
  },
} satisfies Commands;

async function daemon(options: CommonOptions): Promise<number> {
  const log = await openLog();
  const clock = alarm();
  const stopped = new AbortController();
  const stop = (by: string) => {
    if (stopped.signal.aborted) return;
    log.emit({ type: 'Stopped', by });
    stopped.abort();
    clock.ring(by);
  };
  // Between two passes nothing is under way; systemd starts it again.
  const onOutdated = () => {
    log.emit({ type: 'Stopped', by: 'new settings for the network or the cloud, which need a new process' });
    process.exit(0);
  };
  const composition = await compose(options, { emit: log.emit, onOutdated });
  const { agent, host, paths } = composition;
  const release = await acquireLock(paths.slipway.lock);
  const systemd = notifier(host, process.env);
  onSignals({ stop, reload: (signal) => clock.ring(signal) });
  log.emit({ type: 'Started', version, root: options.root });
  await systemd.ready();
  systemd.startWatchdog();
  const ticks = rotationTicks(() => clock.ring('schedule'));
  const publish = publisher(composition, log, systemd, ticks);
  await run(agent, { host, alarm: clock, signal: stopped.signal, publish, emit: log.emit });
  await systemd.stopping();
  await release();
  return 0;
}

/** Wakes the loop by the schedule of the settings, which may change while it runs. */
function rotationTicks(onTick: () => void): (schedule: string) => void {
  let current: { readonly schedule: string; readonly ticks: ReturnType<typeof cronTicks> } | undefined;
  return (schedule) => {
    if (current?.schedule === schedule) return;
    current?.ticks.stop();
    current = { schedule, ticks: cronTicks(schedule, onTick, () => {}) };
  };
}

function publisher(
  { host, paths }: Composition,
  log: EventLog,
  systemd: Notifier,
  tickBy: (schedule: string) => void,
): (report: Report) => Promise<void> {
  return async (report) => {
    const { settings, identity } = report.knowledge;
    const status = statusOf(report, { version, pid: process.pid, now: host.now() });
    if (settings.value) {
      const { log: logging, registries } = settings.value.settings;
      log.setLevel(logging.level);
      if (identity.value) tickBy(spreadSchedule(registries.schedule, identity.value.vmId));
    }
    await systemd.status(statusLine(status));
    // A full disk must not end the daemon: the journal and systemd are told all the same.
    await writeStatus(host, paths.slipway.status, status).catch((thrown: unknown) =>
      log.emit({ type: 'Warned', message: toNodeError(thrown).message }),
    );
  };
}

async function plan(options: CommonOptions): Promise<number> {
  const steps: PlannedStep[] = [];
  let recording: ReturnType<typeof recordingHost> | undefined;
  let seen = 0;
  const wrap = (host: Host) => {
    recording = recordingHost(host);
    seen = 0;
    return recording;
  };
  const emit = (event: Event) => {
    if (event.type === 'Warned') error(`warning: ${event.message}\n`);
    if (event.type !== 'Settled') return;
    const actions = recording?.journal.slice(seen) ?? [];
    seen += actions.length;
    steps.push({ outcome: event.outcome, actions });
  };
  const { agent } = await compose(options, { emit, wrap });
  await agent.pass();
  out(planText(steps));
  return { nothing: 0, changes: 2, errors: 1 }[planVerdict(steps)];
}

async function apply(options: CommonOptions & { readonly timeout: number }): Promise<number> {
  const log = await openLog();
  const { agent, host, paths } = await compose(options, { emit: log.emit });
  const release = await acquireLock(paths.slipway.lock);
  try {
    const report = await converge(agent, host, host.now() + options.timeout);
    const status = statusOf(report, { version, pid: process.pid, now: host.now() });
    await writeStatus(host, paths.slipway.status, status);
    out(statusText(status, undefined, host.now()));
    return report.conditions[0]?.status === 'True' ? 0 : 1;
  } finally {
    await release();
  }
}

async function status({
  root,
  output,
}: CommonOptions & { readonly output: 'table' | 'json' }): Promise<number> {
  const host = nodeHost();
  const { slipway } = nodePaths(root);
  const found = await readStatus(host, slipway.status);
  if (!found) {
    error(
      `slipway: nothing is known of this node: ${slipway.status} is not there. Start it: systemctl start slipway\n`,
    );
    return 3;
  }
  const running = await isLocked(slipway.lock);
  out(
    output === 'json'
      ? `${JSON.stringify({ running, ...found }, undefined, 2)}\n`
      : statusText(found, running, host.now()),
  );
  if (!running) return 3;
  return found.conditions[0]?.status === 'True' ? 0 : 1;
}

async function config(options: CommonOptions & { readonly output: 'table' | 'json' }): Promise<number> {
  const { loadSettings } = await compose(options);
  const loaded = await loadSettings();
  out(options.output === 'json' ? explainJson(loaded) : explain(loaded));
  return 0;
}

async function openLog(): Promise<EventLog> {
  return logEvents(await logDestination(logTarget(process.env, process.stdout.isTTY)));
}

function out(text: string): void {
  process.stdout.write(text);
}

function error(text: string): void {
  process.stderr.write(text);
}
