import type { Cloud } from '../../clouds/cloud.ts';
import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import { readableText } from '../../resources/file-text.ts';
import { type Logins, loginFor, type StoredLogin } from './answer/logins.ts';
import { servedRegistries } from './kubelet-config-text.ts';

export interface Renewal {
  readonly cloud: Cloud;
  /** Returns when a credential is due, in epoch milliseconds: at most `within` milliseconds after `receivedAt`. */
  readonly rotateAt: (receivedAt: number, within: number) => number;
}

/** A login in the store, and when its renewal is due, in epoch milliseconds. */
export interface DatedLogin extends StoredLogin {
  readonly due: number;
}

/** The shortest time between two renewals in milliseconds, even if a password expires sooner. */
const shortest = 5_000;

/**
 * The age in milliseconds at which a credential that its registry refused is renewed, even before its scheduled time.
 */
const refusedFor = 600_000;

/**
 * Returns the stored logins with their due times, by login server. Omits logins of users other than the cloud's
 * registry user.
 */
export async function datedLogins(
  host: HostReader,
  { paths, settings: { registries } }: K3sNode,
  { cloud, rotateAt }: Renewal,
  logins: Logins,
): Promise<ReadonlyMap<string, DatedLogin>> {
  const asked = servedRegistries(await readableText(host, paths.k3s.credentialProvider));
  // Unless onRotate is `never`, a new login restarts K3s if only containerd uses it. Such a login, even if refused, is
  // therefore not renewed before its scheduled time.
  const isEarly = (server: string) => registries.onRotate === 'never' || asked.includes(server);
  const dated = registries.servers.flatMap((server) => {
    const login = loginFor(logins, server);
    if (login?.username !== cloud.registryUser(server)) {
      return [];
    }
    const { receivedAt } = login;
    const longest = longestUse(login, isEarly(server));
    const due = Math.min(rotateAt(receivedAt, longest), receivedAt + longest);
    return [[server, { ...login, due }] as const];
  });
  return new Map(dated);
}

/**
 * Returns the longest time from receipt to renewal in milliseconds: two thirds of the lifetime but at least five
 * seconds, or `Infinity` if the login does not expire. Returns ten minutes at most for a refused login if `isEarly`,
 * and five seconds for a refused login that does not expire.
 */
function longestUse({ receivedAt, until, refused }: StoredLogin, isEarly: boolean): number {
  if (until === undefined) {
    return refused ? shortest : Number.POSITIVE_INFINITY;
  }
  const longest = Math.max(((until - receivedAt) * 2) / 3, shortest);
  return refused && isEarly ? Math.min(longest, refusedFor) : longest;
}
