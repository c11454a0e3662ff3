import * as z from 'zod/mini';
import type { Report } from '../agent.ts';
import type { Condition } from '../engine/conditions.ts';
import type { Host, HostReader } from '../engine/host.ts';
import { parseJson } from '../engine/json.ts';
import { printable } from '../engine/printable.ts';
import type { Change, Outcome } from '../engine/resource.ts';
import { nodeReadyId } from '../parts/k3s/index.ts';
import type { CredentialStatus } from '../parts/registry/index.ts';
import { fileText } from '../resources/file-text.ts';
import { lastTime } from '../resources/last-time.ts';

/** What `status.json` says: for readers, never read back to decide anything. Times are ISO 8601. */
export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly role: string | undefined;
  readonly node: string | undefined;
  readonly updated: string;
  readonly nextPass: { readonly at: string; readonly because: string };
  /** The release that is wanted, and the one kubelet said it is when the node was last seen Ready in a pass. */
  readonly k3s: { readonly wanted?: string; readonly running?: string };
  readonly conditions: readonly Condition[];
  readonly credentials: readonly PublishedCredential[];
  readonly resources: readonly ResourceStatus[];
  /** The last ten, the latest first, over restarts of the daemon. */
  readonly changes: readonly PublishedChange[];
}

/** Of a registry; `ends` is absent where no end is known, and `renewal` where it is never due. */
export interface PublishedCredential {
  readonly server: string;
  readonly received: string;
  readonly renewal?: string;
  readonly ends?: string;
  readonly proof?: string;
}

export interface PublishedChange {
  readonly at: string;
  readonly resource: string;
  readonly did: string;
}

const rememberedChanges = 10;

export interface ResourceStatus {
  readonly id: string;
  readonly condition: string;
  readonly state: Outcome['state'];
  readonly reason?: string;
  readonly message?: string;
  readonly until?: string;
  readonly changes?: readonly Change[];
}

export interface Publisher {
  readonly version: string;
  readonly pid: number;
  /** Epoch milliseconds. */
  readonly now: number;
  /** What was changed before this pass, the latest first. */
  readonly before?: readonly PublishedChange[];
}

/** The status of a pass. */
export function statusOf(report: Report, { version, pid, now, before = [] }: Publisher): Status {
  const { knowledge, conditions, outcomes, credentials, wake } = report;
  return {
    version,
    pid,
    role: (knowledge.node.value?.role ?? knowledge.role.value)?.name,
    node: knowledge.node.value?.name,
    updated: iso(now),
    nextPass: { at: iso(wake.at), because: wake.because },
    k3s: k3sVersions(report),
    conditions,
    credentials: credentials.map(published),
    resources: outcomes.map(resourceStatus),
    changes: [...changesOf(outcomes, now), ...before].slice(0, rememberedChanges),
  };
}

function k3sVersions({ knowledge, outcomes }: Report): Status['k3s'] {
  const wanted = knowledge.node.value?.version;
  const running = outcomes.find(({ resource }) => resource.id === nodeReadyId);
  return {
    ...(wanted !== undefined && { wanted }),
    ...(running?.state === 'InSync' && running.version !== undefined && { running: running.version }),
  };
}

function published({ server, receivedAt, due, ends, proof }: CredentialStatus): PublishedCredential {
  return {
    server,
    received: iso(receivedAt),
    ...(due !== undefined && { renewal: iso(due) }),
    ...(ends !== undefined && { ends: iso(ends) }),
    ...(proof !== undefined && { proof }),
  };
}

/** What was changed among these, the latest first. */
export function changesOf(outcomes: readonly Outcome[], now: number): readonly PublishedChange[] {
  const changed = outcomes.flatMap((outcome) => (outcome.state === 'Changed' ? [outcome] : []));
  return changed.map(({ resource, did }) => ({ at: iso(now), resource: resource.id, did })).reverse();
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
  await host.writeFile(path, printable(`${JSON.stringify(status, undefined, 2)}\n`), { mode: 0o644 });
}

/** What the last pass published; `undefined` where there was none, or the file is damaged. */
export async function readStatus(host: HostReader, path: string): Promise<Status | undefined> {
  const found = parseJson(z.looseObject({}), await fileText(host, path));
  // An older Slipway wrote less.
  return found && z.safeParse(statusForm, { k3s: {}, credentials: [], changes: [], ...found }).data;
}

const text = z.string();

/** All that is shown of a status. */
const shown = z.object({
  version: text,
  updated: text,
  nextPass: z.object({ at: text, because: text }),
  k3s: z.object({}),
  conditions: z.array(
    z.object({ type: text, status: text, reason: text, message: text, lastTransitionTime: text }),
  ),
  resources: z.array(z.object({ id: text, state: text })),
  credentials: z.array(z.object({ server: text, received: text })),
  changes: z.array(z.object({ at: text, did: text })),
});

const statusForm = z.custom<Status>((found) => z.safeParse(shown, found).success);

/** The one line `systemctl status` shows: readiness, or the first thing that keeps the node from it. */
export function statusLine({ role, node, conditions }: Status): string {
  const [ready] = conditions;
  const who = [role, node].filter(Boolean).join(' ') || 'this VM';
  if (ready?.status !== 'True') return `${who}: ${ready?.reason}: ${ready?.message}`;
  return ready.reason === 'InSync' ? `${who}: Ready` : `${who}: Ready, but ${ready.reason}: ${ready.message}`;
}

function iso(time: number): string {
  return new Date(Math.min(time, lastTime)).toISOString();
}
