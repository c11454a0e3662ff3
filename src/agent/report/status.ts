import * as z from 'zod/mini';
import type { Report } from '../agent.ts';
import { outcomeJson } from '../engine/describe.ts';
import type { Host, HostReader } from '../engine/host.ts';
import { readOwn, renderOwn } from '../engine/own-file.ts';
import { printable } from '../engine/printable.ts';
import type { Outcome } from '../engine/resource.ts';
import { ownFiles } from '../own-files.ts';
import type { BackupStatus } from '../parts/backup/index.ts';
import { type CertificateStatus, nodeReadyId } from '../parts/k3s/index.ts';
import type { CredentialStatus } from '../parts/registry/index.ts';
import { fileText } from '../resources/file-text.ts';
import { lastTime } from '../resources/last-time.ts';
import type { DeepReadonly } from '../settings/deep-readonly.ts';

const text = z.string();

/**
 * The schema of `status.json` for writing and reading. The file is for people and other programs; Slipway bases no
 * decision on it. Times are ISO 8601. Reasons and states are strings, since another release may use other names. A
 * field that an older release did not write is empty.
 */
const statusForm = z.looseObject({
  version: text,
  pid: z.optional(z.number()),
  role: z.optional(text),
  node: z.optional(text),
  updated: text,
  nextPass: z.looseObject({ at: text, because: text }),
  /** The wanted release of K3s, and the release that kubelet reported if the last pass saw the node Ready. */
  k3s: z._default(z.looseObject({ wanted: z.optional(text), running: z.optional(text) }), {}),
  conditions: z.array(
    z.looseObject({ type: text, status: text, reason: text, message: text, lastTransitionTime: text }),
  ),
  /**
   * The registry credentials. `ends` is absent if the expiry is unknown, and `renewal` if the credential is never due.
   */
  credentials: z._default(
    z.array(
      z.looseObject({
        ...{ server: text, received: text },
        ...{ renewal: z.optional(text), ends: z.optional(text), proof: z.optional(text) },
      }),
    ),
    [],
  ),
  /**
   * The certificates of K3s. `kind` is `leaf`, `ca`, or, for the certificate that the port of K3s presents, `serving`.
   * `renewal` is the time at which a restart is due to renew a leaf.
   */
  certificates: z._default(
    z.array(z.looseObject({ name: text, kind: text, from: text, ends: text, renewal: z.optional(text) })),
    [],
  ),
  /** The backups: the store, the last proven backup, and when the next one is due; absent on a node that makes none. */
  backup: z.optional(
    z.looseObject({
      to: text,
      due: text,
      proven: z.optional(z.looseObject({ id: text, made: text, bytes: z.number(), stored: z.number() })),
    }),
  ),
  resources: z.array(
    z.looseObject({ id: text, state: text, reason: z.optional(text), until: z.optional(text) }),
  ),
  /** The last ten changes, the latest first, including those before a restart of the daemon. */
  changes: z._default(z.array(z.looseObject({ at: text, resource: z.optional(text), did: text })), []),
});

export type Status = DeepReadonly<z.output<typeof statusForm>>;
export type PublishedCondition = Status['conditions'][number];

const rememberedChanges = 10;

export interface Publisher {
  readonly version: string;
  readonly pid: number;
  /** The current time in epoch milliseconds. */
  readonly now: number;
  /** The changes before this pass, the latest first. */
  readonly before?: Status['changes'];
}

/** Returns the status of a pass. */
export function statusOf(report: Report, { version, pid, now, before = [] }: Publisher): Status {
  const { knowledge, conditions, outcomes, credentials, certificates, backup, wake } = report;
  return {
    version,
    pid,
    role: (knowledge.node.value?.role ?? knowledge.role.value)?.name,
    node: knowledge.node.value?.name,
    updated: iso(now),
    nextPass: { at: iso(wake.at), because: wake.because },
    k3s: k3sVersions(report),
    conditions: conditions.map((condition) => ({ ...condition })),
    credentials: credentials.map(published),
    certificates: certificates.map(publishedCertificate),
    ...(backup && { backup: publishedBackup(backup) }),
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

function published({ server, receivedAt, due, ends, proof }: CredentialStatus) {
  return { server, received: iso(receivedAt), renewal: isoOf(due), ends: isoOf(ends), proof };
}

function publishedCertificate({ name, kind, from, ends, due }: CertificateStatus) {
  return { name, kind, from: iso(from), ends: iso(ends), renewal: isoOf(due) };
}

function publishedBackup({ to, due, proven }: BackupStatus) {
  if (proven === undefined) {
    return { to, due: iso(due) };
  }
  const { id, madeAt, bytes, stored } = proven;
  return { to, due: iso(due), proven: { id, made: iso(madeAt), bytes, stored } };
}

/** Returns the changes in these outcomes, the latest first. */
export function changesOf(outcomes: readonly Outcome[], now: number): Status['changes'] {
  const changed = outcomes.flatMap((outcome) => (outcome.state === 'Changed' ? [outcome] : []));
  return changed.map(({ resource, did }) => ({ at: iso(now), resource: resource.id, did })).reverse();
}

function resourceStatus(outcome: Outcome) {
  const { id, condition } = outcome.resource;
  const { until, ...said } = outcomeJson(outcome);
  return { id, condition, ...said, until: isoOf(until) };
}

/** Writes the status to the file that `slipway status` and monitoring read. */
export async function writeStatus(host: Host, path: string, status: Status): Promise<void> {
  await host.writeFile(path, printable(renderOwn(ownFiles.status, status)), { mode: 0o644 });
}

/** Returns the status of the last pass; `undefined` before the first pass, or if the file is damaged. */
export async function readStatus(host: HostReader, path: string): Promise<Status | undefined> {
  return readOwn(statusForm, await fileText(host, path));
}

function iso(time: number): string {
  return new Date(Math.min(time, lastTime)).toISOString();
}

function isoOf(time: number | undefined): string | undefined {
  return time === undefined ? undefined : iso(time);
}
