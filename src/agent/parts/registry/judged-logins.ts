import type { Host, HostReader } from '../../engine/host.ts';
import { type Change, type Finding, inSync, type Resource } from '../../engine/resource.ts';
import type { K3sNode } from '../../node.ts';
import { isPrivate } from '../../resources/file-attributes.ts';
import { type Logins, loginFor, parseLogins, type StoredLogin } from './answer/logins.ts';
import { readLogins, renderLogins } from './login-store.ts';
import { credentialDigest, refusedCredentials } from './proof/pull-record.ts';

/**
 * Applies the changes to the store that need no request to the cloud: marks exactly the refused logins as refused,
 * drops servers that the settings no longer name, and adds logins that an earlier release received. This is a separate
 * Resource, since a failed renewal waits for its next attempt, and kubelet would get a refused login until then.
 */
export function loginsJudged(node: K3sNode): readonly Resource[] {
  if (node.settings.registries.servers.length === 0) {
    return [];
  }
  const { logins: path } = node.paths.slipway;
  return [
    {
      id: 'JudgedLogins/registries',
      summary: `keep refused logins in ${path} from kubelet`,
      condition: 'Registries',
      check: (host) => check(host, node),
    },
  ];
}

/** Checks the store. A store that is missing or not private is in sync here, since the renewal replaces it. */
async function check(host: HostReader, node: K3sNode): Promise<Finding> {
  const { logins: path } = node.paths.slipway;
  const found = await host.readFile(path);
  if (!found || !isPrivate(found)) {
    return inSync();
  }
  const changes = storeChanges(parseLogins(found.content), await judgedLogins(host, node));
  if (changes.length === 0) {
    return inSync();
  }
  const remedy = async (host: Host) =>
    host.writeFile(path, renderLogins(await judgedLogins(host, node)), { mode: 0o600 });
  return { state: 'Drifted', drift: { changes, blocks: false, remedy } };
}

/**
 * Returns the stored logins of the login servers, each marked as refused if the registry refused the login in the last
 * pull check.
 */
export async function judgedLogins(host: HostReader, { paths, settings }: K3sNode): Promise<Logins> {
  const stored = await readLogins(host, paths);
  const refused = await refusedCredentials(host, paths.slipway.pullProof);
  const logins = settings.registries.servers.flatMap((server) => {
    const login = loginFor(stored, server);
    return login ? [[server, judged(login, refused.get(server))] as const] : [];
  });
  return Object.fromEntries(logins);
}

function judged({ refused: _, ...login }: StoredLogin, refused: string | undefined): StoredLogin {
  return refused === credentialDigest(login.username, login.password) ? { ...login, refused: true } : login;
}

/**
 * Returns a change for each server whose login was added or removed, has a new time of receipt, or was marked or
 * unmarked as refused.
 */
function storeChanges(stored: Logins, wanted: Logins): readonly Change[] {
  return Object.keys({ ...stored, ...wanted })
    .map((server) => ({
      field: `login for ${server}`,
      observed: standing(loginFor(stored, server)),
      desired: standing(loginFor(wanted, server)),
    }))
    .filter(({ observed, desired }) => observed !== desired);
}

function standing(login: StoredLogin | undefined): string | undefined {
  return login && `received ${new Date(login.receivedAt).toISOString()}${login.refused ? ', refused' : ''}`;
}
