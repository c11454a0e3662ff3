import * as z from 'zod/mini';
import type { Host, HostReader } from '../../../engine/host.ts';
import { createObject, patchObject, readApi, replaceObject } from '../../../kubernetes/api.ts';
import type { ApiAccess } from '../../../kubernetes/kubeconfig.ts';
import { listPath, objectPath } from '../../../kubernetes/object-path.ts';
import type { TurnMemory } from './observations.ts';

const kind = { apiVersion: 'coordination.k8s.io/v1', resource: 'leases', namespace: 'kube-system' } as const;
const name = 'slipway-turns';

/** The path of the Lease whose holder grants turns, and whose annotations are the ledger and the orders. */
export const leasePath = objectPath({ ...kind, name });

/** How long a Lease is valid after its last renewal, in seconds. */
const duration = 30;
/** How old the last renewal is when the holder renews, in milliseconds. */
const renewAfter = 10_000;

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

/** Reads the Lease; `undefined` before the first turn in the cluster. Throws the errors of `readApi`. */
export function readLease(host: HostReader, access: ApiAccess): Promise<Lease | undefined> {
  return readApi(host, access, leasePath, lease);
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
 * process (client-go, tools/leaderelection). `now` is a time of this clock.
 */
export function judgeLease(memory: TurnMemory, found: Lease | undefined, me: string, now: number): Holding {
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
  before: Lease | undefined,
  me: string,
  annotations: Readonly<Record<string, string>> = {},
): Promise<void> {
  const spec = renewed(before?.spec ?? {}, me, microTime(host.now()));
  if (before === undefined) {
    return createLease(host, access, annotations, spec);
  }
  const metadata = { ...before.metadata, annotations: { ...before.metadata.annotations, ...annotations } };
  const after = { ...before, metadata, spec };
  await replaceObject(host, access, leasePath, after);
}

/**
 * Adds annotations to the Lease without holding it, if it has not changed since it was read: otherwise throws
 * `ApiConflict`. Also throws the other errors of `replaceObject`.
 */
export function annotateLease(
  host: Host,
  access: ApiAccess,
  before: Lease | undefined,
  annotations: Readonly<Record<string, string>>,
): Promise<void> {
  if (before === undefined) {
    return createLease(host, access, annotations, { leaseDurationSeconds: duration });
  }
  const { resourceVersion } = before.metadata;
  return patchObject(host, access, leasePath, { metadata: { resourceVersion, annotations } });
}

function createLease(
  host: Host,
  access: ApiAccess,
  annotations: Readonly<Record<string, string>>,
  spec: NonNullable<Lease['spec']>,
): Promise<void> {
  const { apiVersion, namespace } = kind;
  const metadata = { name, namespace, annotations };
  return createObject(host, access, listPath(kind), { apiVersion, kind: 'Lease', metadata, spec });
}

function renewed(before: NonNullable<Lease['spec']>, me: string, time: string): NonNullable<Lease['spec']> {
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
