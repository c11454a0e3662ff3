import { type Logins, usableLogin, usableUntil } from './logins.ts';
import { apiVersion } from './request.ts';

/**
 * The longest time in seconds for which kubelet may cache an answer. The limit is short, so that kubelet soon gets a
 * renewed credential.
 */
const longest = 600;

/**
 * Returns the answer to kubelet as a JSON document: the login for a server, to be cached only while the login is usable
 * and for ten minutes at most; `undefined` if the server has no usable login. `now` is in epoch milliseconds.
 *
 * Source: CredentialProviderResponse in k8s.io/kubelet/pkg/apis/credentialprovider/v1/types.go. `cacheDuration` is a
 * metav1.Duration, in the format of Go's time.ParseDuration.
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
