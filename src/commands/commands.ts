/** The commands `apply`, `config` and `stamp`; each resolves to the exit code. */
import { converge } from '../agent/agent.ts';
import type { Event } from '../agent/engine/events.ts';
import { printableLine } from '../agent/engine/printable.ts';
import { acquireLock } from '../agent/host/files/lock.ts';
import { nodeHost } from '../agent/host/node-host.ts';
import { complain, outliveOutput, print, printStyled } from '../agent/host/process/print.ts';
import { onSignals } from '../agent/host/process/signals.ts';
import { endWhenHung, longestPass } from '../agent/host/systemd/hung-pass.ts';
import { comesByItself, faultIn, roleOf } from '../agent/knowledge.ts';
import { stamp } from '../agent/parts/index.ts';
import { serverToJoin } from '../agent/parts/k3s/index.ts';
import { nodePaths } from '../agent/paths.ts';
import { announcer } from '../agent/report/announce.ts';
import { settingsJson } from '../agent/report/output.ts';
import { changesOf, readStatus, type Status, statusOf, writeStatus } from '../agent/report/status.ts';
import { statusText } from '../agent/report/status-text.ts';
import { learn } from '../agent/resources/last-known.ts';
import { explain } from '../agent/settings/explain.ts';
import { settingsWarnings } from '../agent/settings/warnings.ts';
import { version } from '../launcher/version.ts';
import type { ApplyOptions } from './cli.ts';
import type { CommonOptions } from './cli-common.ts';
import { compose } from './compose.ts';
import { levelOf, openLog } from './open-log.ts';
import { terminal } from './terminal.ts';

/** The longest wait for the announcement to the cluster; milliseconds. */
const longestAnnouncement = 10_000;

/**
 * Converges once, writes and prints the status, and announces the result to the cluster. Resolves to 0 if the node is
 * Ready, otherwise to 1. Throws the error of `faultIn` before anything is changed, unless the error may go away by
 * itself.
 */
export async function apply(options: ApplyOptions): Promise<number> {
  outliveOutput();
  const log = await openLog();
  let changes: Status['changes'] = [];
  const emit = (event: Event) => {
    log.emit(event);
    if (event.type === 'Settled') {
      changes = [...changesOf([event.outcome], host.now()), ...changes];
    }
  };
  const ports = { emit, onSettings: levelOf(log), isByPerson: options.restart };
  const { agent, host, paths, gather } = await compose(options, ports);
  const knowledge = await gather();
  const fault = faultIn(knowledge);
  const settings = knowledge.files.value?.settings;
  if (fault && !(settings && comesByItself(fault, settings))) {
    throw fault;
  }
  const release = await acquireLock(paths.slipway.lock, paths.root);
  // A signal may end the process at once, because an interrupted action leaves nothing half done.
  onSignals({ stop: () => {}, reload: () => {}, grace: 0, exitCode: 1 });
  const end = performance.now() + options.timeout + longestPass;
  endWhenHung(
    () => performance.now() < end,
    (by) => log.emit({ type: 'Stopped', by }),
  );
  try {
    const report = await converge(agent, host, host.now() + options.timeout);
    const before = [...changes, ...((await readStatus(host, paths.slipway.status))?.changes ?? [])];
    const status = statusOf(report, { version, pid: process.pid, now: host.now(), before });
    await writeStatus(host, paths.slipway.status, status);
    printStyled(statusText(status, { running: undefined, now: host.now(), ...terminal() }));
    // The verdict on the node is printed first, since the announcement does not change it.
    const announce = announcer({ host, version, emit: log.emit });
    const announced = new AbortController();
    await Promise.race([announce(report), host.sleep(longestAnnouncement, announced.signal)]);
    // A remaining timer would keep the process alive.
    announced.abort();
    return report.conditions[0]?.status === 'True' ? 0 : 1;
  } finally {
    await release();
  }
}

/**
 * Prints the settings with the origin of each, and warnings about them. Resolves to 1 if the role is unknown, or if
 * this node is a server and a tag or a setting names another server to join; otherwise to 0. Throws `InvalidSettings`
 * if the settings or the instance tags are unusable.
 */
export async function config(
  options: CommonOptions & { readonly output: 'table' | 'json' },
): Promise<number> {
  const { gather } = await compose(options);
  const { files, identity, tagged, node } = await gather();
  const loaded = tagged.value?.loaded ?? files.value;
  if (!loaded) {
    throw files.error;
  }
  print(options.output === 'json' ? settingsJson(loaded) : explain(loaded));
  for (const warning of settingsWarnings(loaded)) {
    complain(`warning: ${printableLine(warning)}\n`);
  }
  if (tagged.error) {
    throw tagged.error;
  }
  if (identity.error) {
    complain(`slipway: the instance tags are not in this: ${printableLine(identity.error.message)}\n`);
  }
  const role = await learn(undefined, async () => roleOf(loaded));
  const unknown = role.error?.reason === 'RoleUnknown' ? role.error : undefined;
  const fault = unknown ?? (node.value && serverToJoin(node.value));
  if (!fault) {
    return 0;
  }
  complain(`slipway: ${fault.reason}: ${printableLine(fault.message)}\n`);
  return 1;
}

/** Records the inputs of the next start of K3s; K3s's unit runs this command before every start. */
export async function stampStart({ root }: CommonOptions): Promise<number> {
  await stamp(nodeHost({ root }), nodePaths(root), { invocationId: process.env.INVOCATION_ID });
  return 0;
}
