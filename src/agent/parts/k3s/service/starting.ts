import { hintsOf } from '../../../clouds/chosen.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { printableLine } from '../../../engine/printable.ts';
import { type Finding, waiting } from '../../../engine/resource.ts';
import { forPerson } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { type Cause, findCause, lastWords } from './journal/find-cause.ts';
import { endedAsCutOff, unpackAnew } from './unpacked.ts';

/** The properties of the unit that show the state of a start. */
export const unitProperties = [
  'ActiveState',
  'SubState',
  'Result',
  'NRestarts',
  'InvocationID',
  'ExecMainStatus',
  'Job',
] as const;

export type Shown = Readonly<Record<(typeof unitProperties)[number], string>>;

/**
 * Returns the wait for a K3s that is starting, with the cause of a delay if its journal shows one. If K3s exited and
 * systemd is about to start it again, throws `ServiceFailed` or the cause that the journal shows.
 */
export async function serviceStarting(
  host: HostReader,
  node: K3sNode,
  unit: string,
  shown: Shown,
): Promise<Finding> {
  const log = await startJournal(host, unit, shown.InvocationID);
  const cause = namingVm(findCause(log, node.role.k3s, hintsOf(node.settings)), node);
  if (shown.SubState === 'auto-restart') {
    throw serviceCrashed(unit, shown, cause, lastWords(log));
  }
  if (cause) {
    return waiting(cause.reason, cause.message, { endedBy: cause.endedBy });
  }
  const restarts = Number(shown.NRestarts);
  const again =
    restarts > 0 ? `, after ${restarts} ${restarts === 1 ? 'restart' : 'restarts'} by systemd` : '';
  return waiting('ServiceStarting', `K3s is starting${again}`, { after: 3_000 });
}

/**
 * Returns the last `lines` that this start wrote to the journal, at most 1 MB; empty without an invocation ID. Lines
 * from earlier starts are left out, since those starts may have had another problem.
 */
export async function startJournal(
  host: HostReader,
  unit: string,
  invocationId: string,
  lines = 200,
): Promise<string> {
  if (invocationId === '') {
    return '';
  }
  const { stdout } = await host.query({
    file: 'journalctl',
    args: [`_SYSTEMD_INVOCATION_ID=${invocationId}`, '-u', unit, '-o', 'cat', '-n', `${lines}`, '--no-pager'],
  });
  return stdout;
}

/**
 * Adds the id of this VM to the cause if the server refuses the node because it knows another VM with the same name.
 */
function namingVm(cause: Cause | undefined, { name, vmId }: K3sNode): Cause | undefined {
  if (cause?.reason !== 'NodePasswordRejected' || vmId === undefined) {
    return cause;
  }
  const told = `This VM is ${printableLine(vmId)}; the Node ${name} names the other one (slipway.dev/vm-id).`;
  return { ...cause, message: `${cause.message} ${told}` };
}

/** systemd starts K3s again every five seconds, so a repair, or the return to the former release, shows soon. */
const whileStartedAgain = { longest: 40_000 } as const;

function serviceCrashed(
  unit: string,
  shown: Shown,
  cause: ReturnType<typeof findCause>,
  words: string | undefined,
): NodeError {
  if (cause) {
    return new NodeError(cause.reason, cause.message, { ...forPerson, retry: whileStartedAgain });
  }
  const { ExecMainStatus, NRestarts } = shown;
  const said = words === undefined ? '' : ` Its last words: "${words}".`;
  const repair = endedAsCutOff(shown) ? ` ${unpackAnew}` : '';
  return new NodeError(
    'ServiceFailed',
    `K3s ended with status ${ExecMainStatus || 'unknown'}; systemd starts it again (${NRestarts || 0} restarts so far).${said} ` +
      `See journalctl -u ${unit}.${repair}`,
  );
}
