import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { heldLogin } from '../../registry/held-login.ts';
import { hasPlugin, ownContent, servedRegistries } from '../../registry/provider-file.ts';
import { parseRegistries, type Registries, withoutAuth } from '../../registry/registries-yaml.ts';
import { agentTokenPath } from '../membership/agent-token.ts';
import { unpinnedToken } from '../membership/ca-pin.ts';
import { noteVersion } from '../upgrade/last-version.ts';
import { installedVersion } from '../upgrade/release.ts';
import { noteStart } from './started-with.ts';

/**
 * What K3s reads when it starts, and only then. Of registries.yaml that are mirrors and TLS, all its logins, and those
 * that only containerd has, since kubelet's credential provider is not asked about their registries. An operator's
 * drop-ins in config.yaml.d are left out: who edits them decides when K3s restarts.
 */
const startInputs = [
  'config',
  'version',
  'registries',
  'registryLogins',
  'lastingLogins',
  'credentialProvider',
  'environment',
  'joinToken',
  'agentToken',
] as const;

export type StartInput = (typeof startInputs)[number];
type Digests = Readonly<Record<StartInput, string | undefined>>;

/** What one start of K3s was made of. */
export interface Stamp {
  readonly invocationId: string;
  readonly inputs: Digests;
  /** The registries for which the kubelet of that start asks Slipway. */
  readonly served?: readonly string[];
  /** When the logins end that containerd has since, where they do; epoch milliseconds, by registry. */
  readonly loginEnds?: Readonly<Record<string, number>>;
}

/**
 * Notes what K3s is about to start with; its unit does this before every start.
 *
 * `invocationId` is systemd's INVOCATION_ID of that start; `InternalError` without one, since only systemd gives it.
 */
export async function stamp(
  host: Host,
  paths: NodePaths,
  { invocationId }: { readonly invocationId: string | undefined },
): Promise<void> {
  if (!invocationId)
    throw new NodeError('InternalError', 'There is no INVOCATION_ID: only the unit of K3s stamps its start.');
  const served = servedRegistries(await textOf(host, paths.k3s.credentialProvider));
  const content: Stamp = {
    invocationId,
    inputs: await digests(host, paths, served),
    served,
    loginEnds: await loginEnds(host, paths),
  };
  await host.writeFile(paths.k3s.stamp, `${JSON.stringify(content)}\n`, { mode: 0o600 });
  await noteStart(host, paths);
  await noteVersion(host, paths, await namedVersion(host, paths));
}

/** The stamp of this start of K3s; `undefined` where there is none, or it is of another start. */
export async function readStamp(
  host: HostReader,
  paths: NodePaths,
  invocationId: string,
): Promise<Stamp | undefined> {
  const found = await host.readFile(paths.k3s.stamp);
  const stamp = found && parsed(found.content);
  return stamp?.invocationId === invocationId && stamp.inputs ? (stamp as Stamp) : undefined;
}

type StampedNode = Pick<K3sNode, 'paths' | 'settings'>;

/** The inputs that are other than at that start, and fit to start with. */
export async function changedInputs(
  host: HostReader,
  node: StampedNode,
  { inputs, served }: Stamp,
): Promise<readonly StartInput[]> {
  const { paths } = node;
  const now = await digests(host, paths, served);
  const harmful = [...(await unfitRegistries(host, paths)), ...(await unfitProvider(host, node))];
  const isKnown = (input: StartInput) =>
    inputs[input] !== undefined && now[input] !== undefined && !harmful.includes(input);
  const changed = startInputs.filter((input) => isKnown(input) && inputs[input] !== now[input]);
  const isPinnedSince = inputs.joinToken === (await unpinned(host, paths));
  return changed.filter((input) => input !== 'joinToken' || !isPinnedSince);
}

/** As the token was before the CA that K3s has joined was pinned in it; nothing else about it is another. */
async function unpinned(host: HostReader, { slipway, k3s }: NodePaths): Promise<string> {
  const token = unpinnedToken(await textOf(host, slipway.joinToken), await textOf(host, k3s.agentServerCa));
  return sha256(token);
}

/**
 * Without registries.yaml K3s would come up without its mirrors, and with a damaged one never, so neither counts until
 * the file is whole. That the settings ask for no registry any more does not restart K3s either.
 */
async function unfitRegistries(host: HostReader, { k3s }: NodePaths): Promise<readonly StartInput[]> {
  const text = await textOf(host, k3s.registries);
  const isUnfit = text.trim() === '' || !parseRegistries(text);
  return isUnfit ? ['registries', 'registryLogins', 'lastingLogins'] : [];
}

/** K3s is restarted for a whole provider of ours, and for none where the settings want none. */
async function unfitProvider(
  host: HostReader,
  { paths, settings }: StampedNode,
): Promise<readonly StartInput[]> {
  const text = await textOf(host, paths.k3s.credentialProvider);
  const isWhole = ownContent(text) !== undefined && (await hasPlugin(host, paths));
  const isAbsent = text.trim() === '' && settings.registries.servers.length === 0;
  return isWhole || isAbsent ? [] : ['credentialProvider'];
}

async function textOf(host: HostReader, path: string): Promise<string> {
  return (await host.readFile(path))?.content ?? '';
}

/** `served` is as it was at the start, where it is known, since the kubelet that runs keeps to that. */
async function digests(host: HostReader, paths: NodePaths, served?: readonly string[]): Promise<Digests> {
  const { k3s, slipway } = paths;
  const text = (path: string) => textOf(host, path);
  const credentialProvider = await text(k3s.credentialProvider);
  const registries = await text(k3s.registries);
  const content = parseRegistries(registries);
  return {
    config: sha256(await text(k3s.config)),
    version: await namedVersion(host, paths).then((version) => version && sha256(version)),
    registries: sha256(content ? canonical(withoutAuth(content)) : registries),
    registryLogins: sha256(content ? canonical(content) : registries),
    lastingLogins:
      content && sha256(canonical(lastingLogins(content, served ?? servedRegistries(credentialProvider)))),
    // Somebody else's file is nothing of ours, so K3s is restarted once ours is in its place.
    credentialProvider: sha256(canonical(ownContent(credentialProvider) ?? {})),
    environment: sha256(await environment(host, paths)),
    joinToken: sha256((await text(slipway.joinToken)).trim()),
    agentToken: sha256((await text(agentTokenPath(paths))).trim()),
  };
}

function lastingLogins({ configs = {} }: Registries, served: readonly string[]) {
  const lasting = Object.entries(configs).filter(([name, { auth }]) => auth && !served.includes(name));
  return Object.fromEntries(lasting.map(([name, { auth }]) => [name, auth]));
}

async function loginEnds(host: HostReader, { k3s }: NodePaths): Promise<Readonly<Record<string, number>>> {
  const found = await host.readFile(k3s.registries);
  const content = (found && parseRegistries(found.content)) ?? {};
  const logins = Object.entries(content.configs ?? {}).map(
    ([name, { auth }]) => [name, found && heldLogin(content, name, auth?.username ?? '', found)] as const,
  );
  return Object.fromEntries(
    logins.flatMap(([name, held]) => (held?.life ? [[name, held.receivedAt + held.life]] : [])),
  );
}

/** Not known where K3s says nothing, and no reason to restart it. */
function namedVersion(host: HostReader, paths: NodePaths): Promise<string | undefined> {
  return installedVersion(host, paths).catch(() => undefined);
}

/** The proxy, as the unit gives it to K3s. */
async function environment(host: HostReader, { system }: NodePaths): Promise<string> {
  const units = await Promise.all(
    (['server', 'agent'] as const).map((command) => host.readFile(join(system.units, unitName(command)))),
  );
  return units.flatMap((unit) => unit?.content.match(/^Environment=.*$/gm) ?? []).join('\n');
}

/** The same text for the same content, whatever the order of its keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function parsed(text: string): Partial<Stamp> | undefined {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}
