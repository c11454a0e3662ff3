import type { Report } from './agent.ts';
import type { Condition } from './core/conditions.ts';
import type { Host, HostReader } from './core/host.ts';
import type { Change, Outcome } from './core/resource.ts';

/** What `status.json` says: for readers, never read back to decide anything. Times are ISO 8601. */
export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly role: string | undefined;
  readonly node: string | undefined;
  readonly updated: string;
  readonly nextPass: { readonly at: string; readonly because: string };
  readonly conditions: readonly Condition[];
  readonly resources: readonly ResourceStatus[];
}

export interface ResourceStatus {
  readonly id: string;
  readonly condition: string;
  readonly state: Outcome['state'];
  readonly reason?: string;
  readonly message?: string;
  readonly until?: string;
  readonly changes?: readonly Change[];
}

/** The status of a pass. */
export function statusOf(
  report: Report,
  { version, pid, now }: { version: string; pid: number; now: number },
): Status {
  const { knowledge, conditions, outcomes, wake } = report;
  return {
    version,
    pid,
    role: knowledge.role.value?.name,
    node: knowledge.node.value?.name,
    updated: iso(now),
    nextPass: { at: iso(wake.at), because: wake.because },
    conditions,
    resources: outcomes.map(resourceStatus),
  };
}

function resourceStatus(outcome: Outcome): ResourceStatus {
  const { id, condition } = outcome.resource;
  const base = { id, condition, state: outcome.state };
  switch (outcome.state) {
    case 'InSync': {
      const { message, until } = outcome;
      return { ...base, ...(message && { message }), ...(until !== undefined && { until: iso(until) }) };
    }
    case 'Changed':
    case 'Recorded':
      return { ...base, changes: outcome.changes };
    case 'Waiting':
    case 'Failed':
      return { ...base, reason: outcome.reason, message: outcome.message, until: iso(outcome.lookAgainAt) };
    case 'Blocked':
      return { ...base, reason: 'Blocked', message: `waits for ${outcome.by}` };
  }
}

/** Puts the status where `slipway status` and monitoring read it. */
export async function writeStatus(host: Host, path: string, status: Status): Promise<void> {
  await host.writeFile(path, `${JSON.stringify(status, undefined, 2)}\n`, { mode: 0o644 });
}

/** What the last pass published; `undefined` where there was none, or the file is damaged. */
export async function readStatus(host: HostReader, path: string): Promise<Status | undefined> {
  const found = await host.readFile(path);
  try {
    return found && JSON.parse(found.content);
  } catch {
    return undefined;
  }
}

/** The one line `systemctl status` shows: readiness, or the first thing that keeps the node from it. */
export function statusLine({ role, node, conditions }: Status): string {
  const [ready] = conditions;
  const who = [role, node].filter(Boolean).join(' ') || 'this VM';
  if (ready?.status !== 'True') return `${who}: ${ready?.reason}: ${ready?.message}`;
  return ready.reason === 'InSync' ? `${who}: Ready` : `${who}: Ready, but ${ready.reason}: ${ready.message}`;
}

/** The latest time a Date can hold (ECMA-262). */
const lastTime = 8.64e15;

function iso(time: number): string {
  return new Date(Math.min(time, lastTime)).toISOString();
}
