import { isDeepStrictEqual } from 'node:util';
import type { Cloud } from '../cloud/cloud.ts';
import { NodeError } from '../core/errors.ts';
import type { FoundFile, Host } from '../core/host.ts';
import { jwtTimes } from '../core/jwt.ts';
import type { Change, Resource } from '../core/resource.ts';
import type { Secret } from '../core/secret.ts';
import { type Currency, credential } from '../resources/credential.ts';
import type { K3sNode } from './node.ts';
import {
  type Login,
  parseRegistries,
  type Registries,
  renderRegistries,
  wantedRegistries,
  withoutAuth,
} from './registries-yaml.ts';

export interface RegistriesSpec {
  readonly cloud: Cloud;
  /** The next tick of registries.schedule for this node after that time; epoch milliseconds. */
  readonly rotateAt: (after: number) => number;
}

/** A registry that gives out shorter-lived passwords than this keeps nobody busy. */
const shortest = 10_000;

/** The time since a clock went back after which a file's time is not believed. */
const skew = 60_000;

/**
 * registries.yaml with a fresh password for each login server; nothing where the settings name no registry at all, so
 * that an operator's own file stays.
 *
 * A password is due at the tick of the schedule, or when a third of its life is left. Life is `exp - iat`, counted from
 * the file's time, so that a wrong clock does no harm. While the file is well-formed a failing renewal holds up nobody.
 */
export function registries(
  node: K3sNode,
  spec: RegistriesSpec,
  needs: readonly string[],
): readonly Resource[] {
  const { registries: wanted } = node.settings;
  const named = [wanted.servers, Object.keys(wanted.mirrors), Object.keys(wanted.configs)].flat();
  if (named.length === 0) return [];
  const path = node.paths.k3s.registries;
  return [
    credential({
      id: 'Credential/registries',
      path,
      summary: `renew the registry credentials in ${path}`,
      condition: 'Registries',
      needs,
      isCurrent: (found, now) => judge(node, spec, found, now),
      render: async (host) => renderRegistries(wanted, await logins(host, wanted.servers, spec.cloud)),
    }),
  ];
}

async function logins(
  host: Host,
  servers: readonly string[],
  cloud: Cloud,
): Promise<ReadonlyMap<string, Login>> {
  const found = new Map<string, Login>();
  for (const server of servers) {
    const password = await host.obtain(`a password for ${server}`, () => cloud.registryPassword(server));
    found.set(server, { username: cloud.registryUser(server), password: usable(server, password) });
  }
  return found;
}

function usable(server: string, password: Secret): Secret {
  if (password.reveal() !== '') return password;
  throw new NodeError('RegistryUnavailable', `The password for ${server} came back empty.`);
}

function judge(node: K3sNode, spec: RegistriesSpec, found: FoundFile, now: number): Currency {
  const content = parseRegistries(found.content);
  if (!content) {
    return { ok: false, changes: [{ field: 'content', observed: 'malformed', desired: 'registries.yaml' }] };
  }
  const { registries: settings } = node.settings;
  const changes = [
    ...configChanges(content, wantedRegistries(settings), settings.servers),
    ...settings.servers.flatMap((server) => loginChanges(content, server, spec.cloud.registryUser(server))),
  ];
  if (changes.length > 0) return { ok: false, tolerable: true, changes };
  return settings.servers.length === 0 ? { ok: true } : judgeAge(content, settings.servers, spec, found, now);
}

function configChanges(found: Registries, wanted: Registries, servers: readonly string[]): readonly Change[] {
  const views = [
    ['mirrors and TLS', withoutAuth],
    ['credentials of other registries', (registries: Registries) => foreignAuth(registries, servers)],
  ] as const;
  return views
    .map(([field, view]) => ({ field, found: view(found), wanted: view(wanted) }))
    .filter(({ found, wanted }) => !isDeepStrictEqual(found, wanted))
    .map(({ field }) => ({ field, observed: 'other', desired: 'as the settings say' }));
}

function foreignAuth({ configs = {} }: Registries, servers: readonly string[]) {
  const foreign = Object.entries(configs).filter(([name, { auth }]) => auth && !servers.includes(name));
  return Object.fromEntries(foreign.map(([name, { auth }]) => [name, auth]));
}

/** What is there must be ours: with our user name, and where it is a JWT, made for this login server. */
function loginChanges(found: Registries, server: string, user: string): readonly Change[] {
  const auth = found.configs?.[server]?.auth;
  const audience = auth?.password && audienceOf(auth.password);
  const isOurs = auth?.username === user && auth.password && (audience === undefined || audience === server);
  return isOurs
    ? []
    : [{ field: `password for ${server}`, observed: auth ? 'not ours' : undefined, desired: 'ours' }];
}

function judgeAge(
  found: Registries,
  servers: readonly string[],
  { rotateAt }: RegistriesSpec,
  { modifiedAt }: FoundFile,
  now: number,
): Currency {
  const life = Math.min(...servers.map((server) => lifeOf(found.configs?.[server]?.auth?.password)));
  const due = Math.min(rotateAt(modifiedAt), modifiedAt + Math.max((life * 2) / 3, shortest));
  if (now < due && modifiedAt <= now + skew) return { ok: true, until: due };
  const received = new Date(modifiedAt).toISOString();
  return {
    ok: false,
    tolerable: true,
    changes: [{ field: 'received', observed: received, desired: 'renewed' }],
  };
}

/** Milliseconds from issue to expiry; without an end for a password that is no JWT. */
function lifeOf(password: string | undefined): number {
  const times = jwtTimes(password ?? '');
  return times ? times.expiresAt - times.issuedAt : Number.POSITIVE_INFINITY;
}

/** The `aud` claim of a JWT (RFC 7519, section 4.1.3). */
function audienceOf(password: string): string | undefined {
  if (!jwtTimes(password)) return undefined;
  const claims = JSON.parse(Buffer.from(password.split('.')[1] ?? '', 'base64url').toString('utf8'));
  return typeof claims.aud === 'string' ? claims.aud.toLowerCase() : undefined;
}
