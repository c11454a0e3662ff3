import { isDeepStrictEqual } from 'node:util';
import type { Cloud } from '../cloud/cloud.ts';
import { NodeError, toNodeError } from '../core/errors.ts';
import type { FoundFile, Host } from '../core/host.ts';
import type { Change, Resource } from '../core/resource.ts';
import type { Secret } from '../core/secret.ts';
import { type Currency, credential, type PartlyRendered } from '../resources/credential.ts';
import { type HeldLogin, heldLogin } from './held-login.ts';
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
const shortest = 5_000;

/** The time since a clock went back after which a file's time is not believed. */
const skew = 60_000;

/**
 * registries.yaml with a fresh password for each login server; nothing where the settings name no registry at all, so
 * that an operator's own file stays.
 *
 * A password is due at the tick of the schedule, or when a third of its life is left. Life is `exp - iat`, counted from
 * the file's time, so that a wrong clock does no harm. A registry that fails keeps what it has, and holds up neither the
 * others nor, while the file is well-formed, anybody.
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
      render: (host, found) => render(host, node, spec, found),
    }),
  ];
}

function judge({ settings }: K3sNode, spec: RegistriesSpec, found: FoundFile, now: number): Currency {
  const content = parseRegistries(found.content);
  if (!content) {
    return { ok: false, changes: [{ field: 'content', observed: 'malformed', desired: 'registries.yaml' }] };
  }
  const { servers } = settings.registries;
  const logins = servers.map((server) => datedLogin(content, server, spec, found));
  const changes = [
    ...configChanges(content, wantedRegistries(settings.registries), servers),
    ...logins.flatMap((held, at) => loginChanges(held, servers[at] ?? '', now)),
  ];
  if (changes.length > 0) return { ok: false, tolerable: true, changes };
  const until = Math.min(...logins.map((held) => held?.due ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(until) ? { ok: true, until } : { ok: true };
}

/** Takes a password for each server that has none or whose is due, or for all where it is the rest that changed. */
async function render(
  host: Host,
  { settings }: K3sNode,
  spec: RegistriesSpec,
  found: FoundFile | undefined,
): Promise<Secret | PartlyRendered> {
  const { servers } = settings.registries;
  const content = found && parseRegistries(found.content);
  const held = new Map(
    servers.map((server) => [server, content && found && datedLogin(content, server, spec, found)]),
  );
  const due = servers.filter((server) => loginChanges(held.get(server), server, host.now()).length > 0);
  const logins = new Map<string, Login>();
  for (const [server, kept] of held) if (kept) logins.set(server, kept.login);
  const failures: NodeError[] = [];
  for (const server of due.length > 0 ? due : servers) {
    try {
      const password = await host.obtain(`a password for ${server}`, () =>
        spec.cloud.registryPassword(server),
      );
      logins.set(server, { username: spec.cloud.registryUser(server), password: usable(server, password) });
    } catch (thrown) {
      failures.push(toNodeError(thrown));
    }
  }
  const [failure] = failures;
  if (failure && failures.length === (due.length || servers.length)) throw failure;
  const rendered = renderRegistries(settings.registries, logins);
  return failure ? { content: rendered, failure } : rendered;
}

function usable(server: string, password: Secret): Secret {
  if (password.reveal() !== '') return password;
  throw new NodeError('RegistryUnavailable', `The password for ${server} came back empty.`);
}

/** A login as the file has it, and when it is due; epoch milliseconds. */
interface DatedLogin extends HeldLogin {
  readonly due: number;
}

function datedLogin(
  content: Registries,
  server: string,
  { cloud, rotateAt }: RegistriesSpec,
  found: FoundFile,
): DatedLogin | undefined {
  const held = heldLogin(content, server, cloud.registryUser(server), found);
  if (!held) return undefined;
  const { receivedAt, life = Number.POSITIVE_INFINITY } = held;
  return {
    ...held,
    due: Math.min(rotateAt(receivedAt), receivedAt + Math.max((life * 2) / 3, shortest)),
  };
}

function loginChanges(held: DatedLogin | undefined, server: string, now: number): readonly Change[] {
  const field = `password for ${server}`;
  if (!held) return [{ field, observed: 'not ours', desired: 'ours' }];
  if (now < held.due && held.receivedAt <= now + skew) return [];
  return [{ field, observed: `received ${new Date(held.receivedAt).toISOString()}`, desired: 'renewed' }];
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
