import { type Logins, usableLogin, usableUntil } from './logins.ts';
import { apiVersion } from './request.ts';

/** The longest time that kubelet keeps an answer, so that it soon gets a new credential; seconds. */
const longest = 600;

/**
 * Returns the answer to kubelet, one JSON document: the login for a server, to be kept no longer than it is usable;
 * `undefined` if the server has no usable login. `now` is epoch milliseconds.
 *
 * Source: CredentialProviderResponse in k8s.io/kubelet/pkg/apis/credentialprovider/v1/types.go; `cacheDuration` is a
 * metav1.Duration, written as Go's time.ParseDuration reads it.
 */
export function responseFor(logins: Logins, server: string, now: number): string | undefined {
  const login = usableLogin(logins, server, now);
  if (!login) {
    return undefined;
  }
  const { username, password } = login;
  const seconds = Math.min(longest, Math.floor((usableUntil(login) - now) / 1_000));
  return JSON.stringify({
    kind: 'CredentialProviderResponse',
    apiVersion,
    cacheKeyType: 'Registry',
    cacheDuration: `${seconds}s`,
    auth: { [server]: { username, password } },
  });
}
