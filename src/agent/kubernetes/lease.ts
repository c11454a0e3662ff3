import * as z from 'zod/mini';
import type { Host, HostReader } from '../engine/host.ts';
import { createObject, patchObject, readApi, replaceObject } from './api.ts';
import type { ApiAccess } from './kubeconfig.ts';
import { listPath, objectPath } from './object-path.ts';

const kind = { apiVersion: 'coordination.k8s.io/v1', resource: 'leases', namespace: 'kube-system' } as const;

/** A Lease in kube-system that at most one server holds. */
export interface LeaseKind {
  readonly name: string;
  /** How long the Lease is valid after its last renewal, in seconds. */
  readonly duration: number;
  /** How old the last renewal is when the holder renews, in milliseconds. */
  readonly renewAfter: number;
}

/** What a process has seen of a Lease: the holder and the renewal, and when they were first seen. */
export interface LeaseMemory {
  lease: { readonly record: string; readonly since: number } | undefined;
}

/** Returns the path of a Lease in the Kubernetes API. */
export function leasePath({ name }: LeaseKind): string {
  return objectPath({ ...kind, name });
}

const text = z.nullish(z.string());
const lease = z.looseObject({
  metadata: z.looseObject({
    uid: z.string(),
    resourceVersion: z.string(),
    annotations: z.nullish(z.record(z.string(), z.string())),
  }),
  spec: z.nullish(
    z.looseObject({
      holderIdentity: text,
      leaseDurationSeconds: z.nullish(z.number()),
      acquireTime: text,
      renewTime: text,
      leaseTransitions: z.nullish(z.number()),
    }),
  ),
});

/** The Lease as it was read, with all its fields, so that it can be replaced (coordination.k8s.io/v1). */
export type Lease = z.output<typeof lease>;

/** Reads the Lease; `undefined` until a server takes it for the first time. Throws the errors of `readApi`. */
export function readLease(host: HostReader, access: ApiAccess, which: LeaseKind): Promise<Lease | undefined> {
  return readApi(host, access, leasePath(which), lease);
}

/** Whether this server holds the Lease. */
export type Holding =
  | { readonly state: 'mine'; readonly isRenewalDue: boolean }
  /** The Lease is missing, without a holder, or was not renewed for its whole duration. */
  | { readonly state: 'free' }
  /** Another server holds the Lease, and may lose it in `expiresIn` milliseconds. */
  | { readonly state: 'other'; readonly holder: string; readonly expiresIn: number };

/**
 * Judges who holds the Lease. The times in the Lease come from the clocks of other machines and are never compared
 * with a clock: a Lease expires if its record does not change for its duration, as seen by the monotonic clock of this
 * process (client-go, tools/leaderelection). `me` is the name of this server's Node, and `now` a time of this clock.
 */
export function judgeLease(
  { duration, renewAfter }: LeaseKind,
  memory: LeaseMemory,
  found: Lease | undefined,
  { me, now }: { readonly me: string; readonly now: number },
): Holding {
  const {
    holderIdentity: holder = '',
    renewTime,
    leaseTransitions,
    leaseDurationSeconds,
  } = found?.spec ?? {};
  const record = `${holder} ${renewTime} ${leaseTransitions}`;
  if (memory.lease?.record !== record) {
    memory.lease = { record, since: now };
  }
  const age = now - memory.lease.since;
  if (holder === me) {
    return { state: 'mine', isRenewalDue: age >= renewAfter };
  }
  const expiresIn = (leaseDurationSeconds ?? duration) * 1_000 - age;
  return holder && expiresIn > 0 ? { state: 'other', holder, expiresIn } : { state: 'free' };
}

/**
 * Writes the Lease with the annotations added, and with `me` as its holder, if it has not changed since it was read:
 * otherwise throws `ApiConflict`. Also throws the other errors of `replaceObject`.
 */
export async function writeLease(
  host: Host,
  access: ApiAccess,
  which: LeaseKind,
  { before, me, annotations = {} }: LeaseChange,
): Promise<void> {
  const spec = renewed(which, before?.spec ?? {}, me, microTime(host.now()));
  if (before === undefined) {
    return createLease(host, access, which, { annotations, spec });
  }
  const metadata = { ...before.metadata, annotations: { ...before.metadata.annotations, ...annotations } };
  const after = { ...before, metadata, spec };
  await replaceObject(host, access, leasePath(which), after);
}

/** A write of a Lease: the Lease as it was read, its next holder, and annotations to add. */
export interface LeaseChange {
  readonly before: Lease | undefined;
  readonly me: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Adds annotations to the Lease without holding it, if it has not changed since it was read: otherwise throws
 * `ApiConflict`. Also throws the other errors of `replaceObject`.
 */
export function annotateLease(
  host: Host,
  access: ApiAccess,
  which: LeaseKind,
  { before, annotations }: Required<Omit<LeaseChange, 'me'>>,
): Promise<void> {
  if (before === undefined) {
    return createLease(host, access, which, { annotations, spec: { leaseDurationSeconds: which.duration } });
  }
  const { resourceVersion } = before.metadata;
  return patchObject(host, access, leasePath(which), { metadata: { resourceVersion, annotations } });
}

function createLease(
  host: Host,
  access: ApiAccess,
  { name }: LeaseKind,
  {
    annotations,
    spec,
  }: { readonly annotations: Readonly<Record<string, string>>; readonly spec: NonNullable<Lease['spec']> },
): Promise<void> {
  const { apiVersion, namespace } = kind;
  const metadata = { name, namespace, annotations };
  return createObject(host, access, listPath(kind), { apiVersion, kind: 'Lease', metadata, spec });
}

function renewed(
  { duration }: LeaseKind,
  before: NonNullable<Lease['spec']>,
  me: string,
  time: string,
): NonNullable<Lease['spec']> {
  const { holderIdentity: holder, leaseTransitions, acquireTime } = before;
  const isMine = holder === me;
  return {
    ...before,
    holderIdentity: me,
    leaseDurationSeconds: duration,
    acquireTime: isMine ? (acquireTime ?? time) : time,
    renewTime: time,
    leaseTransitions: (leaseTransitions ?? 0) + (isMine ? 0 : 1),
  };
}

/** Returns a time as a Lease has it, with microseconds (apimachinery, meta/v1, MicroTime). */
function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
