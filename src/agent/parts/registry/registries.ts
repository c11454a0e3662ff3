import { isDeepStrictEqual } from 'node:util';
import type { Cloud } from '../../clouds/cloud.ts';
import { NodeError, toNodeError } from '../../engine/errors.ts';
import type { FoundFile, Host, HostReader } from '../../engine/host.ts';
import type { Change, Resource } from '../../engine/resource.ts';
import { type Secret, sensitive } from '../../engine/secret.ts';
import type { K3sNode } from '../../node.ts';
import { type Currency, credential, type PartlyRendered } from '../../resources/credential.ts';
import { heldLogin, type ReceivedLogin, receiptNotes } from './held-login.ts';
import { credentialDigest, refusedCredentials } from './proof/pull-record.ts';
import {
  namesRegistry,
  parseRegistries,
  type Registries,
  renderRegistries,
  wantedRegistries,
  withoutAuth,
} from './registries-yaml.ts';
import { type DatedLogin, type RenewalFailure, renewalFailure } from './renewal-failure.ts';

export interface RegistriesSpec {
  readonly cloud: Cloud;
  /**
   * Returns when credentials received at this time are due, at most `within` milliseconds later; epoch milliseconds.
   */
  readonly rotateAt: (receivedAt: number, within: number) => number;
}

/** The id of the resource that `registries` makes. */
export const registriesId = 'Credential/registries';

/** A registry that gives out shorter-lived passwords than this keeps nobody busy. */
const shortest = 5_000;

/** Milliseconds from receipt after which a credential that its registry refused is renewed before its tick. */
const refusedFor = 600_000;

/** The time by which a clock must have gone back for a receipt not to be believed. */
const skew = 60_000;

/**
 * registries.yaml with a fresh password for each login server; nothing where the settings name no registry at all, so
 * that an operator's own file stays.
 *
 * A password is due at the node's own tick of the schedule, and when a third of its life is left at the latest; of the
 * cloud are asked those alone that are due or missing. One that its registry refused at its proof is due ten minutes after
 * its receipt, if a renewal restarts nothing. A registry that fails keeps what it has, and delays neither
 * the others nor, while the file is well-formed, what needs this Resource.
 */
export function registries(
  node: K3sNode,
  spec: RegistriesSpec,
  needs: readonly string[],
): readonly Resource[] {
  if (!namesRegistry(node.settings.registries)) return [];
  const path = node.paths.k3s.registries;
  return [
    credential({
      id: registriesId,
      path,
      summary: `renew the registry credentials in ${path}`,
      condition: 'Registries',
      needs,
      isCurrent: (found, now, host) => judge(host, node, spec, found, now),
      render: (host, found) => render(host, node, spec, found),
    }),
  ];
}

async function judge(
  host: HostReader,
  node: K3sNode,
  spec: RegistriesSpec,
  found: FoundFile,
  now: number,
): Promise<Currency> {
  const content = parseRegistries(found.content);
  if (!content) {
    return { ok: false, changes: [{ field: 'content', observed: 'malformed', desired: 'registries.yaml' }] };
  }
  const { registries: settings } = node.settings;
  const { servers } = settings;
  const refused = await renewedEarly(host, node);
  const logins = servers.map((server) => datedLogin(content, server, spec, found, refused));
  const edited = configChanges(content, wantedRegistries(settings), servers);
  const changes = [...edited, ...logins.flatMap((held, at) => loginChanges(held, servers[at] ?? '', now))];
  const due = edited.length === 0 && logins.every((held) => held && held.receivedAt <= now + skew);
  if (changes.length > 0) return { ok: false, blocks: false, due, changes };
  const until = Math.min(...logins.map((held) => held?.due ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(until) ? { ok: true, until } : { ok: true };
}

/** Takes a password for each server that has none or whose is due. What fails keeps no other change from being written. */
async function render(
  host: Host,
  node: K3sNode,
  spec: RegistriesSpec,
  found: FoundFile | undefined,
): Promise<Secret | PartlyRendered> {
  const { registries: settings } = node.settings;
  const refused = await renewedEarly(host, node);
  const content = found && parseRegistries(found.content);
  const logins = new Map<string, ReceivedLogin>();
  const failures: RenewalFailure[] = [];
  let changes = content ? configChanges(content, wantedRegistries(settings), settings.servers).length : 0;
  for (const server of settings.servers) {
    const held = content && datedLogin(content, server, spec, found, refused);
    if (held) logins.set(server, held);
    if (loginChanges(held, server, host.now()).length === 0) continue;
    try {
      logins.set(server, await receive(host, spec.cloud, server));
      changes += 1;
    } catch (thrown) {
      failures.push({ server, error: toNodeError(thrown), held });
    }
  }
  const failure = failures.length > 0 ? renewalFailure(failures, host.now()) : undefined;
  if (failure && changes === 0) throw failure;
  const rendered = renderRegistries(
    settings,
    new Map([...logins].map(([server, { login }]) => [server, login])),
  );
  const noted = sensitive((show) => show(rendered) + receiptNotes(logins));
  return failure ? { content: noted, failure } : noted;
}

async function receive(host: Host, cloud: Cloud, server: string): Promise<ReceivedLogin> {
  const password = await host.obtain(`a password for ${server}`, () => cloud.registryPassword(server));
  const login = { username: cloud.registryUser(server), password: usable(server, password) };
  return { login, receivedAt: host.now() };
}

function usable(server: string, password: Secret): Secret {
  if (password.reveal() !== '') return password;
  throw new NodeError('RegistryUnavailable', `The password for ${server} came back empty.`);
}

/** The refused credentials that are renewed before their tick: none if that could restart K3s again and again. */
export async function renewedEarly(
  host: HostReader,
  { paths, settings }: K3sNode,
): Promise<ReadonlySet<string>> {
  if (settings.registries.onRotate !== 'never') return new Set();
  return refusedCredentials(host, paths.slipway.pullProof);
}

/** The login for a server with the time of its renewal; `undefined` where the file has none of ours. */
export function datedLogin(
  content: Registries,
  server: string,
  { cloud, rotateAt }: RegistriesSpec,
  found: FoundFile,
  refused: ReadonlySet<string>,
): DatedLogin | undefined {
  const held = heldLogin(content, server, cloud.registryUser(server), found);
  if (!held) return undefined;
  const { login, receivedAt, life = Number.POSITIVE_INFINITY } = held;
  const isRefused = refused.has(credentialDigest(login.username, login.password.reveal()));
  const longest = Math.min(Math.max((life * 2) / 3, shortest), isRefused ? refusedFor : Infinity);
  return { ...held, due: Math.min(rotateAt(receivedAt, longest), receivedAt + longest) };
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
