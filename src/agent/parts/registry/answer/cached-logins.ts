/**
 * What kubelet's credential provider answers from: the logins of registries.yaml as JSON, which takes no YAML parser.
 *
 * The daemon writes it beside each rotation, and the provider itself where the daemon did not. Imports nothing, since
 * the launcher answers from it before the program is loaded.
 */

/** A login, and how long it may be handed out; epoch milliseconds by the clock of this machine. */
export interface CachedLogin {
  readonly username: string;
  readonly password: string;
  readonly receivedAt: number;
  /** Absent where the password has no end that is known. */
  readonly usableUntil?: number;
}

/** By login server. */
export type CachedLogins = Readonly<Record<string, CachedLogin>>;

/** The part of a password's life before its end at which it is no longer handed out: five minutes of three hours. */
const margin = 1 / 36;

/** The time since a clock went back after which a time of receipt is not believed. */
export const skew = 60_000;

/** What must be left of a login: kubelet is told whole seconds. */
const shortest = 1_000;

/**
 * A login that was received at this time. `life` is how long the password lives from its issue (`exp - iat`), in
 * milliseconds: counted from receipt, a wrong clock does no harm.
 */
export function cachedLogin(
  { username, password }: Pick<CachedLogin, 'username' | 'password'>,
  receivedAt: number,
  life: number | undefined,
): CachedLogin {
  const login = { username, password, receivedAt };
  return life === undefined ? login : { ...login, usableUntil: receivedAt + life * (1 - margin) };
}

/** The login for a server that may be handed out now; `undefined` where there is none, or it is too old. */
export function usableLogin(logins: CachedLogins, server: string, now: number): CachedLogin | undefined {
  const login = Object.hasOwn(logins, server) ? logins[server] : undefined;
  if (login === undefined || !isBelievable(login, now)) return undefined;
  return now + shortest <= (login.usableUntil ?? Number.POSITIVE_INFINITY) ? login : undefined;
}

/**
 * What the cache holds next: the logins found in it and fresh ones, of each server the one received later. One that
 * was received in the future, by a clock since put back, gives way.
 */
export function mergedLogins(found: CachedLogins, fresh: CachedLogins, now: number): CachedLogins {
  const kept = Object.entries(found).filter(([server, login]) => {
    const rival = Object.hasOwn(fresh, server) ? fresh[server] : undefined;
    return isBelievable(login, now) && !(rival && rival.receivedAt >= login.receivedAt);
  });
  return Object.fromEntries([...Object.entries(fresh), ...kept]);
}

function isBelievable({ receivedAt }: CachedLogin, now: number): boolean {
  return receivedAt <= now + skew;
}

/** The logins in a cache file; none where it is damaged. */
export function parseCachedLogins(text: string | undefined): CachedLogins {
  try {
    const found: unknown = JSON.parse(text ?? '{}');
    const entries = Object.entries(Object(found)).filter((entry): entry is [string, CachedLogin] =>
      isCachedLogin(entry[1]),
    );
    return Object.fromEntries(entries);
  } catch {
    return {};
  }
}

function isCachedLogin(value: unknown): value is CachedLogin {
  const { username, password, receivedAt, usableUntil = 0 } = Object(value);
  const texts = [username, password].every((text) => typeof text === 'string' && text !== '');
  return texts && Number.isFinite(receivedAt) && Number.isFinite(usableUntil);
}
