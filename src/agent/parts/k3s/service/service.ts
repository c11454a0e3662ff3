import { commandLine } from '../../../engine/command-line.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Command, Host, HostReader } from '../../../engine/host.ts';
import { type Change, type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { showUnit, systemctl } from '../../../resources/unit.ts';
import { type ContainerdPull, observedPulls } from '../../registry/containerd-logins.ts';
import { findCause, lastWords } from './journal-causes.ts';
import { changedInputs, readStamp, type Stamp, type StartInput } from './start-stamp.ts';
import { endedAsCutOff, unpackAnew } from './unpacked.ts';

const serviceId = 'Service/k3s';

const properties = [
  'ActiveState',
  'SubState',
  'Result',
  'NRestarts',
  'InvocationID',
  'ExecMainStatus',
  'Job',
] as const;
type Shown = Readonly<Record<(typeof properties)[number], string>>;

/**
 * K3s runs, and with what is on disk now: it is restarted where an input of its start is another than its stamp says.
 *
 * Its unit is Type=notify without a time limit, so it is started with --no-block and watched: `ServiceStarting`, or
 * what its journal says of this start. `ServiceFailed`, or the cause it names, where it ends again and again.
 */
export function k3sService(
  node: K3sNode,
  needs: readonly string[],
  inputs: readonly Resource[] = [],
): Resource {
  const unit = unitName(node.role.k3s);
  return {
    id: serviceId,
    summary: `systemctl start ${unit}`,
    condition: 'K3sRunning',
    needs,
    check: async (host) => settled(host, await check(host, node, unit), inputs),
  };
}

/** K3s is not restarted for what a hand wrote since this pass looked at it: the next one puts that back first. */
async function settled(host: HostReader, finding: Finding, inputs: readonly Resource[]): Promise<Finding> {
  if (finding.state !== 'Drifted' || !finding.drift.changes.some(({ desired }) => desired === asStarted))
    return finding;
  for (const input of inputs) {
    // What cannot be looked at is not put back either.
    const found = await input.check(host).catch(() => inSync());
    if (found.state === 'Drifted' && !found.drift.due)
      return waiting('Blocked', `waits for ${input.id}`, { after: 1_000, blocks: false });
  }
  return finding;
}

const asStarted = 'as K3s started';

async function check(host: HostReader, node: K3sNode, unit: string): Promise<Finding> {
  const shown = await showUnit(host, unit, properties);
  // A unit of Type=notify has its job for as long as it starts; what keeps it is in its journal.
  if (/^[1-9]/.test(shown.Job) && shown.ActiveState !== 'activating')
    return waiting('ServiceStarting', `systemd is at work on ${unit}`, { after: 1_000 });
  switch (shown.ActiveState) {
    case 'active':
    case 'reloading': {
      const start = await lookAtStart(host, node, shown);
      return outdated(node, unit, shown, start) ?? inSync({ message: running(node, start) });
    }
    case 'activating': {
      const start = await lookAtStart(host, node, shown);
      return outdated(node, unit, shown, start) ?? starting(host, node, unit, shown);
    }
    case 'deactivating':
      return waiting('ServiceStarting', `${unit} is stopping`, { after: 2_000 });
    default: {
      const observed = shown.ActiveState || 'unknown';
      return drifted([{ field: unit, observed, desired: 'active' }], systemctl('start', '--no-block', unit));
    }
  }
}

/** `tolerable` is true for a K3s that runs, so that its node is looked at while it cannot be restarted. */
function drifted(changes: readonly Change[], command: Command, tolerable = false): Finding {
  const remedy = async (host: Host) => void (await host.run(command));
  return { state: 'Drifted', drift: { changes, summary: commandLine(command), tolerable, remedy } };
}

/** A start of K3s: what is other since, and why containerd needs fresh logins. */
interface Start {
  readonly stamp: Stamp | undefined;
  readonly changed: readonly StartInput[];
  readonly pulls: readonly ContainerdPull[];
}

/** A missing stamp, or one of another start, says nothing. */
async function lookAtStart(host: HostReader, node: K3sNode, { InvocationID }: Shown): Promise<Start> {
  const stamp = await readStamp(host, node.paths, InvocationID);
  const changed = stamp ? await changedInputs(host, node, stamp) : [];
  return { stamp, changed, pulls: await observedPulls(host, node, stamp?.served) };
}

/** Drifted where this start was made of other inputs. */
function outdated(node: K3sNode, unit: string, shown: Shown, { changed, pulls }: Start): Finding | undefined {
  const isStarting = shown.ActiveState === 'activating';
  const counting = changed.filter((input) =>
    counts(input, node, { isStarting, needsLogins: pulls.length > 0 }),
  );
  if (counting.length === 0) return undefined;
  return drifted(
    counting.map((field) => ({ field, observed: 'changed since K3s started', desired: asStarted })),
    systemctl('restart', '--no-block', unit),
    !isStarting,
  );
}

/** A node that runs has no use for its token, and for fresh logins only as the settings say. */
function counts(
  input: StartInput,
  { settings }: K3sNode,
  { isStarting, needsLogins }: { readonly isStarting: boolean; readonly needsLogins: boolean },
): boolean {
  const { onRotate } = settings.registries;
  if (input === 'joinToken') return isStarting;
  if (input === 'registryLogins') return onRotate === 'restart' || (onRotate === 'auto' && needsLogins);
  if (input === 'lastingLogins') return onRotate !== 'never';
  return true;
}

/** That K3s runs, and what becomes of the logins that containerd has of its start. */
function running({ settings }: K3sNode, start: Start): string {
  const { onRotate, servers } = settings.registries;
  const said = { never: () => oldLogins(start), auto: () => restarts(start), restart: () => [] };
  const isUnknown = servers.length > 0 && !start.stamp;
  return ['K3s runs', ...(isUnknown ? [unknownStart] : []), ...said[onRotate]()].join('; ');
}

const unknownStart =
  'it is not known what this start was given, so pulls may have the login of that start until K3s is started again';

function restarts({ pulls }: Start): readonly string[] {
  return pulls.length > 0 ? [`restarted at each rotation, because ${reasonsOf(pulls)}`] : [];
}

function oldLogins({ changed, pulls }: Start): readonly string[] {
  const old = [
    pulls.length > 0 &&
      `containerd keeps the registry logins of its start, where kubelet gives none: ${reasonsOf(pulls)}`,
    changed.includes('lastingLogins') &&
      'a login that only containerd has was changed, and it keeps the old one until the next start of K3s',
  ].filter((text) => text !== false);
  return old.length > 0 ? [...old, 'set registries.onRotate to auto, and K3s is restarted for that'] : [];
}

function reasonsOf(pulls: readonly ContainerdPull[]): string {
  return pulls.map(({ why }) => why).join(', and ');
}

async function starting(host: HostReader, node: K3sNode, unit: string, shown: Shown): Promise<Finding> {
  const log = await journal(host, unit, shown.InvocationID);
  const cause = findCause(log, node.role.k3s);
  if (shown.SubState === 'auto-restart') throw crashed(unit, shown, cause, lastWords(log));
  if (cause) return waiting(cause.reason, cause.message, { lasting: !cause.passes });
  const restarts = Number(shown.NRestarts);
  const again =
    restarts > 0 ? `, after ${restarts} ${restarts === 1 ? 'restart' : 'restarts'} by systemd` : '';
  return waiting('ServiceStarting', `K3s is starting${again}`, { after: 3_000 });
}

/** The lines of this start only: an older one may have had another trouble. */
async function journal(host: HostReader, unit: string, invocationId: string): Promise<string> {
  if (invocationId === '') return '';
  const { stdout } = await host.query({
    file: 'journalctl',
    args: [`_SYSTEMD_INVOCATION_ID=${invocationId}`, '-u', unit, '-o', 'cat', '-n', '200', '--no-pager'],
  });
  return stdout;
}

function crashed(
  unit: string,
  shown: Shown,
  cause: ReturnType<typeof findCause>,
  words: string | undefined,
): NodeError {
  if (cause) return new NodeError(cause.reason, cause.message, { retry: { pace: 'slow' } });
  const { ExecMainStatus, NRestarts } = shown;
  const said = words === undefined ? '' : ` Its last words: "${words}".`;
  const repair = endedAsCutOff(shown) ? ` ${unpackAnew}` : '';
  return new NodeError(
    'ServiceFailed',
    `K3s ended with status ${ExecMainStatus || 'unknown'}; systemd starts it again (${NRestarts || 0} restarts so far).${said} ` +
      `See journalctl -u ${unit}.${repair}`,
  );
}
