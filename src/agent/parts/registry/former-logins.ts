/**
 * The logins of releases without a login store. Slipway reads the logins so that an update fetches no login and does
 * not restart K3s, and removes them once a store exists. Remove this module once no node is updated from a release
 * without a store.
 */
import { received } from '../../clouds/jwt.ts';
import { digest } from '../../engine/digest.ts';
import type { HostReader } from '../../engine/host.ts';
import { type Resource, waiting } from '../../engine/resource.ts';
import { Secret } from '../../engine/secret.ts';
import type { K3sNode } from '../../node.ts';
import type { NodePaths } from '../../paths.ts';
import { heldBack } from '../../resources/combinators.ts';
import { isPrivate } from '../../resources/file-attributes.ts';
import { removed } from '../../resources/removed.ts';
import { type Logins, newestLogins, parseLogins, type StoredLogin } from './answer/logins.ts';
import { parseRegistries } from './registries-yaml.ts';

/**
 * Returns the newest logins that an earlier release left in registries.yaml or in the cache of kubelet's provider in
 * /run. Ignores a file that cannot be read or is not private.
 */
export async function formerLogins(host: HostReader, { k3s, slipway }: NodePaths): Promise<Logins> {
  const [file, cache] = await Promise.all([
    privateText(host, k3s.registries),
    privateText(host, slipway.formerLogins),
  ]);
  return newestLogins(fromRegistries(file), fromCache(cache), host.now());
}

/**
 * Removes the login cache that earlier releases left in /run, once the login store exists or no former login is left to
 * preserve.
 */
export function formerLoginsGone({ paths }: K3sNode, needs: readonly string[]): Resource {
  const gone = removed({ path: paths.slipway.formerLogins, condition: 'CredentialProvider', needs });
  return onceStored(gone, paths);
}

/**
 * Holds back the remedy of a Resource that replaces or removes the former logins until a login store exists: without a
 * store, as on a full disk, the former logins are the only ones. Holds back nothing if no former logins exist.
 */
export function onceStored(resource: Resource, paths: NodePaths): Resource {
  return heldBack(resource, async (host) => {
    if (await host.stat(paths.slipway.logins)) {
      return undefined;
    }
    if (Object.keys(await formerLogins(host, paths)).length === 0) {
      return undefined;
    }
    return waiting('Blocked', `waits for ${paths.slipway.logins}`, { after: 60_000, blocks: false });
  });
}

async function privateText(host: HostReader, path: string): Promise<string> {
  const found = await host.readFile(path).catch(() => undefined);
  return found && isPrivate(found) ? found.content : '';
}

/**
 * Returns the logins in registries.yaml, where a comment for each login states when it was received, with a digest of
 * the received password. Omits a login whose password differs from the digest or whose time is invalid.
 */
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

/**
 * Returns the logins in the cache. Recalculates the expiry of each login, since the cached expiry is a few minutes
 * early.
 */
function fromCache(text: string): Logins {
  const logins = text === '' ? [] : Object.entries(parseLogins(`{ "logins": ${text} }`));
  return Object.fromEntries(logins.map(([server, login]) => [server, loginOf(login)]));
}

function loginOf({ username, password, receivedAt }: StoredLogin): StoredLogin {
  const { until } = received(new Secret(password), receivedAt);
  return { username, password, receivedAt, ...(until !== undefined && { until }) };
}
