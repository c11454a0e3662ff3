import type { Cloud } from '../../clouds/cloud.ts';
import { NodeError, toNodeError } from '../../engine/errors.ts';
import type { FoundFile, Host, HostReader } from '../../engine/host.ts';
import type { Change, Resource } from '../../engine/resource.ts';
import type { Secret } from '../../engine/secret.ts';
import type { K3sNode } from '../../node.ts';
import { type Currency, credential, type PartlyRendered } from '../../resources/credential.ts';
import { isBelievable, newestLogins, type StoredLogin } from './answer/logins.ts';
import { type DatedLogin, datedLogins, type Renewal } from './dated-logins.ts';
import { judgedLogins } from './judged-logins.ts';
import { notRefused, renderLogins, storedLogin } from './login-store.ts';
import { type RenewalFailure, renewalFailure } from './renewal-failure.ts';

/** The id of the resource that `loginsRenewed` returns. */
export const renewalId = 'Credential/registries';

/**
 * Keeps a fresh login in the store for each login server. Returns no resource if the settings name no login server.
 *
 * A password is due at the next time in the schedule, or earlier if only a third of its lifetime is left. Slipway asks
 * the cloud only for passwords that are due or missing. A password that its registry refused is due ten minutes after
 * its receipt, unless its renewal would restart K3s. A refused password that does not expire is due five seconds after
 * its receipt, and only a person can end the failure if the cloud returns the same password again. A failure keeps the
 * old login, and delays neither other registries nor, once a store exists, the dependants of this Resource.
 */
export function loginsRenewed(node: K3sNode, renewal: Renewal): readonly Resource[] {
  if (node.settings.registries.servers.length === 0) {
    return [];
  }
  const path = node.paths.slipway.logins;
  return [
    credential({
      id: renewalId,
      path,
      summary: `renew the registry credentials in ${path}`,
      condition: 'Registries',
      isCurrent: (_found, now, host) => judge(host, node, renewal, now),
      render: (host, found) => render(host, node, renewal, found),
    }),
  ];
}

async function judge(host: HostReader, node: K3sNode, renewal: Renewal, now: number): Promise<Currency> {
  const { servers } = node.settings.registries;
  const dates = await datedLogins(host, node, renewal, await judgedLogins(host, node));
  const dated = servers.map((server) => [server, dates.get(server)] as const);
  const changes = dated.flatMap(([server, login]) => loginChanges(server, login, now));
  const due = dated.every(([, login]) => login && isBelievable(login, now));
  if (changes.length > 0) {
    return { ok: false, blocks: false, due, changes };
  }
  const until = Math.min(...dated.map(([, login]) => login?.due ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(until) ? { ok: true, until } : { ok: true };
}

/**
 * Fetches each login that is due or missing, and returns the new text of the store. If a fetch fails, returns the text
 * together with the failure, or throws the failure if the text is unchanged.
 */
async function render(
  host: Host,
  node: K3sNode,
  renewal: Renewal,
  found: FoundFile | undefined,
): Promise<Secret | PartlyRendered> {
  const before = await datedLogins(host, node, renewal, await judgedLogins(host, node));
  const fetched = new Map<string, StoredLogin>();
  const failures: RenewalFailure[] = [];
  for (const server of node.settings.registries.servers) {
    const held = before.get(server);
    if (loginChanges(server, held, host.now()).length === 0) {
      continue;
    }
    try {
      fetched.set(server, await fetchLogin(host, renewal.cloud, server, held));
    } catch (thrown) {
      failures.push({ server, error: toNodeError(thrown), held });
    }
  }
  // The plugin of kubelet may have written to the store during the fetch.
  const logins = newestLogins(await judgedLogins(host, node), Object.fromEntries(fetched), host.now());
  const content = renderLogins(logins);
  if (failures.length === 0) {
    return content;
  }
  const failure = renewalFailure(failures, host.now());
  const isNothing = found ? found.content === content.reveal() : Object.keys(logins).length === 0;
  if (isNothing) {
    throw failure;
  }
  return { content, failure };
}

async function fetchLogin(
  host: Host,
  cloud: Cloud,
  server: string,
  held: DatedLogin | undefined,
): Promise<StoredLogin> {
  let until: number | undefined;
  const password = await host.obtain(`a password for ${server}`, async () => {
    const fetched = await cloud.registryPassword(server);
    until = fetched.until;
    return fetched.password;
  });
  const login = storedLogin(cloud.registryUser(server), { password, until }, host.now());
  if (login.password === '') {
    throw new NodeError('RegistryUnavailable', `The password for ${server} came back empty.`);
  }
  return notRefused(server, login, held);
}

function loginChanges(server: string, login: DatedLogin | undefined, now: number): readonly Change[] {
  const field = `password for ${server}`;
  if (!login) {
    return [{ field, observed: 'not ours', desired: 'ours' }];
  }
  if (now < login.due && isBelievable(login, now)) {
    return [];
  }
  return [{ field, observed: `received ${new Date(login.receivedAt).toISOString()}`, desired: 'renewed' }];
}
