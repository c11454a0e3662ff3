/**
 * What releases without a login store left behind. It is read while there is no store, so that an update fetches no
 * login and restarts no K3s. This file can go once no node is updated from such a release any more.
 */
import { received } from '../../clouds/jwt.ts';
import { digest } from '../../engine/digest.ts';
import type { HostReader } from '../../engine/host.ts';
import type { Resource } from '../../engine/resource.ts';
import { Secret } from '../../engine/secret.ts';
import type { K3sNode } from '../../node.ts';
import type { NodePaths } from '../../paths.ts';
import { isPrivate } from '../../resources/file-attributes.ts';
import { removed } from '../../resources/removed.ts';
import { type Logins, newestLogins, parseLogins, type StoredLogin } from './answer/logins.ts';
import { parseRegistries } from './registries-yaml.ts';

/** The logins of registries.yaml, and those that kubelet's provider fetched later and kept in /run. */
export async function formerLogins(host: HostReader, { k3s, slipway }: NodePaths): Promise<Logins> {
  const [file, cache] = await Promise.all([
    privateText(host, k3s.registries),
    privateText(host, slipway.formerLogins),
  ]);
  return newestLogins(fromRegistries(file), fromCache(cache), host.now());
}

/** That file in /run goes once there is a store. */
export function formerLoginsGone({ paths }: K3sNode, needs: readonly string[]): Resource {
  return removed({ path: paths.slipway.formerLogins, condition: 'CredentialProvider', needs });
}

async function privateText(host: HostReader, path: string): Promise<string> {
  const found = await host.readFile(path).catch(() => undefined);
  return found && isPrivate(found) ? found.content : '';
}

/** Each has its receipt in a comment of its own, with a digest of the very password that was received. */
function fromRegistries(text: string): Logins {
  const configs = parseRegistries(text)?.configs ?? {};
  const receipts = [...text.matchAll(/^# (\S+): received (\S+) (sha256:\w+)$/gm)];
  return Object.fromEntries(
    receipts.flatMap(([, server = '', time = '', received]) => {
      const { username = '', password = '' } = configs[server]?.auth ?? {};
      const receivedAt = Date.parse(time);
      const isReceived = digest(password) === received && Number.isFinite(receivedAt);
      return isReceived ? [[server, loginOf({ username, password, receivedAt })] as const] : [];
    }),
  );
}

/** By server, with an end of which the last minutes were left out. */
function fromCache(text: string): Logins {
  const logins = Object.entries(parseLogins(`{ "logins": ${text} }`));
  return Object.fromEntries(logins.map(([server, login]) => [server, loginOf(login)]));
}

function loginOf({ username, password, receivedAt }: StoredLogin): StoredLogin {
  const { until } = received(new Secret(password), receivedAt);
  return { username, password, receivedAt, ...(until !== undefined && { until }) };
}
