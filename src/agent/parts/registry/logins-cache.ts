import { isDeepStrictEqual } from 'node:util';
import type { Cloud } from '../../clouds/cloud.ts';
import type { FoundFile, Host, HostReader } from '../../engine/host.ts';
import { type Change, inSync, type Resource } from '../../engine/resource.ts';
import { Secret, sensitive } from '../../engine/secret.ts';
import type { K3sNode } from '../../node.ts';
import { octal, owner } from '../../resources/file-attributes.ts';
import {
  type CachedLogins,
  cachedLogin,
  mergedLogins,
  parseCachedLogins,
  skew,
} from './answer/cached-logins.ts';
import { heldLogin } from './held-login.ts';
import { credentialDigest, refusedCredentials } from './proof/pull-record.ts';
import { parseRegistries } from './registries-yaml.ts';

const mode = 0o600;

/**
 * What the credential provider answers from: the logins of registries.yaml as JSON, and of those that the provider
 * fetched itself the ones that are newer. In /run, so that it is made anew after each boot.
 *
 * A login that its registry refused at the last proof is left out, and nothing depends on the cache: the provider fetches
 * what it does not find there.
 */
export function loginsCache(node: K3sNode, cloud: Cloud): readonly Resource[] {
  const path = node.paths.slipway.registryLogins;
  if (node.settings.registries.servers.length === 0) return [];
  return [
    {
      id: 'Credential/registry-logins',
      summary: `write ${path}`,
      condition: 'CredentialProvider',
      async check(host) {
        const found = await host.readFile(path);
        const cached = parseCachedLogins(found?.content);
        const changes = [
          ...loginChanges(cached, await newestLogins(host, node, cloud)),
          ...(found ? modeChanges(found) : []),
        ];
        if (changes.length === 0) return inSync();
        const remedy = async (host: Host) =>
          host.writeFile(path, render(await newestLogins(host, node, cloud)), { mode });
        return { state: 'Drifted', drift: { changes, blocks: false, remedy } };
      },
    },
  ];
}

/** For each login server the newer of what registries.yaml and the cache have. */
async function newestLogins(host: HostReader, node: K3sNode, cloud: Cloud): Promise<CachedLogins> {
  const { servers } = node.settings.registries;
  const { registryLogins, pullProof } = node.paths.slipway;
  const refused = await refusedCredentials(host, pullProof);
  const usable = (logins: CachedLogins) =>
    Object.entries(logins).filter(
      ([server, { username, password }]) =>
        servers.includes(server) &&
        username === cloud.registryUser(server) &&
        !refused.has(credentialDigest(username, password)),
    );
  const cached = usable(parseCachedLogins((await host.readFile(registryLogins))?.content));
  const held = usable(await heldLogins(host, node, cloud));
  return mergedLogins(Object.fromEntries(cached), Object.fromEntries(held), host.now());
}

/** What registries.yaml has; not what it received before the clock went back, which is renewed. */
async function heldLogins(
  host: HostReader,
  { paths, settings }: K3sNode,
  cloud: Cloud,
): Promise<CachedLogins> {
  const file = await host.readFile(paths.k3s.registries);
  const content = file && parseRegistries(file.content);
  const logins = settings.registries.servers.flatMap((server) => {
    const held = content && heldLogin(content, server, cloud.registryUser(server), file);
    if (!held || held.receivedAt > host.now() + skew) return [];
    const { login, receivedAt, life } = held;
    const { username, password } = login;
    return [[server, cachedLogin({ username, password: password.reveal() }, receivedAt, life)] as const];
  });
  return Object.fromEntries(logins);
}

function loginChanges(found: CachedLogins, wanted: CachedLogins): readonly Change[] {
  const servers = [...new Set([...Object.keys(found), ...Object.keys(wanted)])];
  return servers
    .filter((server) => !isDeepStrictEqual(found[server], wanted[server]))
    .map((server) => ({
      field: `login for ${server}`,
      observed: found[server] && 'another',
      desired: wanted[server] && 'the newest',
    }));
}

function modeChanges(found: FoundFile): readonly Change[] {
  return [
    { field: 'mode', observed: octal(found.mode), desired: octal(mode) },
    { field: 'owner', observed: owner(found), desired: 'own' },
  ].filter(({ observed, desired }) => observed !== desired);
}

function render(logins: CachedLogins): Secret {
  return sensitive((show) => {
    const shown = Object.entries(logins).map(([server, { password, ...login }]) => [
      server,
      { ...login, password: show(new Secret(password)) },
    ]);
    return `${JSON.stringify(Object.fromEntries(shown))}\n`;
  });
}
