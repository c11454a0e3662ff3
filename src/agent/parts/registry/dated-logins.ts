import type { Cloud } from '../../clouds/cloud.ts';
import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import { readableText } from '../../resources/file-text.ts';
import { type Logins, loginFor, type StoredLogin } from './answer/logins.ts';
import { servedRegistries } from './kubelet-config-text.ts';

export interface Renewal {
  readonly cloud: Cloud;
  /**
   * Returns when credentials received at this time are due, at most `within` milliseconds later; epoch milliseconds.
   */
  readonly rotateAt: (receivedAt: number, within: number) => number;
}

/** A login in the store, and when it is due; epoch milliseconds. */
export interface DatedLogin extends StoredLogin {
  readonly due: number;
}

/** Passwords with a shorter life are renewed no more often; milliseconds. */
const shortest = 5_000;

/** How long after its receipt a credential that its registry refused is renewed, even before its tick; milliseconds. */
const refusedFor = 600_000;

/** Returns the logins of our user in the store and when they are due, by login server. */
export async function datedLogins(
  host: HostReader,
  { paths, settings: { registries } }: K3sNode,
  { cloud, rotateAt }: Renewal,
  logins: Logins,
): Promise<ReadonlyMap<string, DatedLogin>> {
  const asked = servedRegistries(await readableText(host, paths.k3s.credentialProvider));
  // K3s is restarted for each login that containerd alone has, so one that is refused waits for its tick.
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

/** Milliseconds from receipt to renewal at most. */
function longestUse({ receivedAt, until, refused }: StoredLogin, isEarly: boolean): number {
  if (until === undefined) {
    return refused ? shortest : Number.POSITIVE_INFINITY;
  }
  const longest = Math.max(((until - receivedAt) * 2) / 3, shortest);
  return refused && isEarly ? Math.min(longest, refusedFor) : longest;
}
