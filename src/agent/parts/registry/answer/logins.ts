/**
 * The login store, `logins.json`: the login of each registry, of which registries.yaml and the answer to kubelet are
 * renderings.
 *
 * Imports nothing, since the launcher answers from it before the program is loaded.
 */

/** A login, as the store has it; epoch milliseconds by the clock of this machine. */
export interface StoredLogin {
  readonly username: string;
  readonly password: string;
  readonly receivedAt: number;
  /** When the password ends; absent where it does not. */
  readonly until?: number;
  /** True if the registry refused it when a pull was proven: it is kept from kubelet. */
  readonly refused?: true;
}

/** By login server. */
export type Logins = Readonly<Record<string, StoredLogin>>;

/** The part of a password's life before its end at which it is no longer handed out: five minutes of three hours. */
const margin = 1 / 36;

/** The time since a clock went back after which a time of receipt is not believed. */
const skew = 60_000;

/** What must be left of a login: kubelet is given whole seconds. */
const shortest = 1_000;

/** The login that is stored for a server, whatever its age. */
export function loginFor(logins: Logins, server: string): StoredLogin | undefined {
  return Object.hasOwn(logins, server) ? logins[server] : undefined;
}

/** The login for a server that may be handed out now; `undefined` where there is none. */
export function usableLogin(logins: Logins, server: string, now: number): StoredLogin | undefined {
  const login = loginFor(logins, server);
  if (!login || login.refused || !isBelievable(login, now)) return undefined;
  return now + shortest <= usableUntil(login) ? login : undefined;
}

/** When a login is no longer handed out; `Infinity` where it does not end. */
export function usableUntil({ receivedAt, until = Number.POSITIVE_INFINITY }: StoredLogin): number {
  return receivedAt + (until - receivedAt) * (1 - margin);
}

/** False of a login that was received in the future, by a clock that was put back since: its age is not known. */
export function isBelievable({ receivedAt }: StoredLogin, now: number): boolean {
  return receivedAt <= now + skew;
}

/** Of each server the login received later. One whose age is not known gives way to a fresh one. */
export function newestLogins(found: Logins, fresh: Logins, now: number): Logins {
  const kept = Object.entries(found).filter(([server, login]) => {
    const rival = loginFor(fresh, server);
    return !rival || (isBelievable(login, now) && rival.receivedAt < login.receivedAt);
  });
  return Object.fromEntries([...Object.entries(fresh), ...kept]);
}

/** The logins in a text of the store, whatever else a later release writes there; none where it is damaged. */
export function parseLogins(text: string): Logins {
  try {
    const stored = Object.entries(Object(Object(JSON.parse(text)).logins));
    return Object.fromEntries(
      stored.flatMap(([server, value]) => {
        const login = asLogin(value);
        return login ? [[server, login] as const] : [];
      }),
    );
  } catch {
    return {};
  }
}

function asLogin(value: unknown): StoredLogin | undefined {
  const { username, password, receivedAt, until, refused } = Object(value);
  const isText = [username, password].every((text) => typeof text === 'string' && text !== '');
  if (!isText || !Number.isFinite(receivedAt) || !Number.isFinite(until ?? 0) || until === null)
    return undefined;
  const login = { username, password, receivedAt, ...(until !== undefined && { until }) };
  return refused === true ? { ...login, refused } : login;
}
