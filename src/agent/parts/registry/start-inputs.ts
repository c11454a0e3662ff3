import type { HostReader } from '../../engine/host.ts';
import type { NodePaths } from '../../paths.ts';
import { fileText } from '../../resources/file-text.ts';
import type { StampedNode, StartInput, StartNote, StartNotes } from '../k3s/index.ts';
import { hasPlugin, ownContent, servedRegistries } from './kubelet-config-text.ts';
import { readLogins } from './login-store.ts';
import { parseRegistries, type Registries, withoutAuth } from './registries-yaml.ts';

/**
 * The inputs of a start of K3s: the mirrors and TLS settings in registries.yaml, the logins, the lasting logins, and
 * the configuration of kubelet's credential provider. A lasting login is one that only containerd has, since kubelet
 * does not ask Slipway about its registry.
 */
export const registryInputs: readonly StartInput[] = [
  { name: 'registries', isFit: isWhole, text: ofRegistries(withoutAuth) },
  { name: 'registryLogins', isFit: isWhole, text: ofRegistries((content) => content) },
  { name: 'lastingLogins', isFit: isWhole, text: lastingLogins },
  {
    name: 'credentialProvider',
    isFit: isFitProvider,
    // Another program's file counts as empty, so K3s restarts once Slipway's file has replaced it.
    text: async (host, { k3s }) => canonical(ownContent(await fileText(host, k3s.credentialProvider)) ?? {}),
  },
];

/**
 * What Slipway records at a start of K3s: the registries about which kubelet asks Slipway, and the expiry of each login
 * that containerd got.
 */
export const registryNotes: readonly StartNote[] = [
  { name: 'served', read: served },
  { name: 'loginEnds', read: loginEnds },
];

/**
 * Returns the registries about which kubelet asks Slipway since a start of K3s; `undefined` if the notes on that start
 * lack them.
 */
export function servedSince({ served }: StartNotes): readonly string[] | undefined {
  return Array.isArray(served) ? served : undefined;
}

/**
 * Returns each registry for which containerd got a login at a start of K3s, with the login's expiry in epoch
 * milliseconds; omits a login with an unknown expiry.
 */
export function loginEndsSince({ loginEnds }: StartNotes): readonly (readonly [string, number])[] {
  return Object.entries(Object(loginEnds)).filter((each): each is [string, number] =>
    Number.isFinite(each[1]),
  );
}

/**
 * True if registries.yaml is neither missing nor empty, and is valid. Without the file, K3s would start without its
 * mirrors; with a damaged file, K3s never starts. A missing file does not restart K3s even if the settings no longer
 * name a registry.
 */
async function isWhole(host: HostReader, { paths }: StampedNode): Promise<boolean> {
  const text = await fileText(host, paths.k3s.registries);
  return text.trim() !== '' && parseRegistries(text) !== undefined;
}

/**
 * True if Slipway's provider has its configuration and plugin, or if the configuration is missing or empty and the
 * settings name no login server.
 */
async function isFitProvider(host: HostReader, { paths, settings }: StampedNode): Promise<boolean> {
  const text = await fileText(host, paths.k3s.credentialProvider);
  if (text.trim() === '') {
    return settings.registries.servers.length === 0;
  }
  return ownContent(text) !== undefined && (await hasPlugin(host, paths));
}

function ofRegistries(view: (content: Registries) => unknown) {
  return async (host: HostReader, { k3s }: NodePaths) => {
    const text = await fileText(host, k3s.registries);
    const content = parseRegistries(text);
    return content ? canonical(view(content)) : text;
  };
}

/**
 * Returns the logins that only containerd has, as a string; `undefined` if registries.yaml is malformed. A running
 * kubelet asks only about the registries in the configuration that it read at its start.
 */
async function lastingLogins(
  host: HostReader,
  paths: NodePaths,
  notes: StartNotes,
): Promise<string | undefined> {
  const content = parseRegistries(await fileText(host, paths.k3s.registries));
  if (!content) {
    return undefined;
  }
  const asked = servedSince(notes) ?? (await served(host, paths));
  const lasting = Object.entries(content.configs ?? {}).filter(
    ([name, { auth }]) => auth && !asked.includes(name),
  );
  return canonical(Object.fromEntries(lasting.map(([name, { auth }]) => [name, auth])));
}

async function served(host: HostReader, { k3s }: NodePaths): Promise<readonly string[]> {
  return servedRegistries(await fileText(host, k3s.credentialProvider));
}

/**
 * Returns when the logins in registries.yaml expire, in epoch milliseconds by registry; omits a login that differs from
 * the one in the login store, or whose expiry the store lacks.
 */
export async function loginEnds(
  host: HostReader,
  paths: NodePaths,
): Promise<Readonly<Record<string, number>>> {
  const { configs = {} } = parseRegistries(await fileText(host, paths.k3s.registries)) ?? {};
  const ends = Object.entries(await readLogins(host, paths)).flatMap(([server, { password, until }]) =>
    until !== undefined && configs[server]?.auth?.password === password ? [[server, until] as const] : [],
  );
  return Object.fromEntries(ends);
}

/** Returns the value as JSON with sorted keys, so that equal content has equal text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
