/**
 * The login store, `logins.json`, contains the login of each registry. Slipway renders registries.yaml and the answers
 * to kubelet from this store.
 *
 * This module imports nothing, since the launcher uses the module before the program is loaded.
 */

/** A login in the store. Times are in epoch milliseconds by the clock of this machine. */
export interface StoredLogin {
  readonly username: string;
  readonly password: string;
  readonly receivedAt: number;
  /** When the password expires; absent if it does not. */
  readonly until?: number;
  /** True if the registry refused the login in a pull check; kubelet does not get a refused login. */
  readonly refused?: true;
}

/** The logins by login server. */
export type Logins = Readonly<Record<string, StoredLogin>>;

/**
 * The last fraction of a password's lifetime, during which the password is no longer handed out: five minutes of a
 * lifetime of three hours.
 */
const margin = 1 / 36;

/** How far in the future a time of receipt may be, in milliseconds. */
const skew = 60_000;

/**
 * The shortest time, in milliseconds, for which a login must still be usable to be handed out: one second, since
 * kubelet gets the time in whole seconds.
 */
const shortest = 1_000;

/** Returns the stored login for a server, even if the login has expired or was refused. */
export function loginFor(logins: Logins, server: string): StoredLogin | undefined {
  return Object.hasOwn(logins, server) ? logins[server] : undefined;
}

/**
 * Returns the login for a server that may be handed out now; `undefined` if the stored login is missing, refused, too
 * old, or of unknown age.
 */
export function usableLogin(logins: Logins, server: string, now: number): StoredLogin | undefined {
  const login = loginFor(logins, server);
  if (!login || login.refused || !isBelievable(login, now)) {
    return undefined;
  }
  return now + shortest <= usableUntil(login) ? login : undefined;
}

/** Returns the time from which a login is no longer handed out; `Infinity` if the login does not expire. */
export function usableUntil({ receivedAt, until = Number.POSITIVE_INFINITY }: StoredLogin): number {
  return receivedAt + (until - receivedAt) * (1 - margin);
}

/**
 * True unless the time of receipt is more than a minute in the future. Such a time means that the clock was set back,
 * so the age of the login is unknown.
 */
export function isBelievable({ receivedAt }: StoredLogin, now: number): boolean {
  return receivedAt <= now + skew;
}

/**
 * Merges two sets of logins: for each server, keeps the login that was received later. Prefers the login in `fresh` if
 * both were received at the same time, or if the age of the login in `found` is unknown.
 */
export function newestLogins(found: Logins, fresh: Logins, now: number): Logins {
  const kept = Object.entries(found).filter(([server, login]) => {
    const rival = loginFor(fresh, server);
    return !rival || (isBelievable(login, now) && rival.receivedAt < login.receivedAt);
  });
  return Object.fromEntries([...Object.entries(fresh), ...kept]);
}

/**
 * Returns the logins in the text of a store; none if the text is not JSON. Omits invalid logins, and unknown fields,
 * which later releases may write.
 */
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
  if (!isText || !isTime(receivedAt) || (until !== undefined && !isTime(until))) {
    return undefined;
  }
  const login = { username, password, receivedAt, ...(until !== undefined && { until }) };
  return refused === true ? { ...login, refused } : login;
}

/** The largest time before or after 1970 that a Date can represent, in milliseconds (ECMA-262). */
const lastTime = 8.64e15;

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= lastTime;
}
