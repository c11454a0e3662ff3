import type { HostReader } from '../../engine/host.ts';
import type { NodePaths } from '../../paths.ts';
import { fileText } from '../../resources/file-text.ts';
import type { StampedNode, StartInput, StartNote, StartNotes } from '../k3s/index.ts';
import { hasPlugin, ownContent, servedRegistries } from './kubelet-config-text.ts';
import { readLogins } from './login-store.ts';
import { parseRegistries, type Registries, withoutAuth } from './registries-yaml.ts';

/**
 * Of registries.yaml K3s reads mirrors and TLS, all its logins, and those that only containerd has, since kubelet's
 * credential provider is not asked about their registries; and kubelet reads which provider it has.
 */
export const registryInputs: readonly StartInput[] = [
  { name: 'registries', isFit: isWhole, text: ofRegistries(withoutAuth) },
  { name: 'registryLogins', isFit: isWhole, text: ofRegistries((content) => content) },
  { name: 'lastingLogins', isFit: isWhole, text: lastingLogins },
  {
    name: 'credentialProvider',
    isFit: isFitProvider,
    // Somebody else's file is nothing of ours, so K3s is restarted once ours is in its place.
    text: async (host, { k3s }) => canonical(ownContent(await fileText(host, k3s.credentialProvider)) ?? {}),
  },
];

/** The registries for which the kubelet of that start asks Slipway, and when the logins end that containerd has since. */
export const registryNotes: readonly StartNote[] = [
  { name: 'served', read: served },
  { name: 'loginEnds', read: loginEnds },
];

/** The registries for which the kubelet of that start asks Slipway; `undefined` where its stamp does not say it. */
export function servedSince({ served }: StartNotes): readonly string[] | undefined {
  return Array.isArray(served) ? served : undefined;
}

/** When the logins end that containerd has since that start, where they do; epoch milliseconds, by registry. */
export function loginEndsSince({ loginEnds }: StartNotes): readonly (readonly [string, number])[] {
  return Object.entries(Object(loginEnds)).filter((each): each is [string, number] =>
    Number.isFinite(each[1]),
  );
}

/**
 * Without registries.yaml K3s would come up without its mirrors, and with a damaged one never, so nothing of it counts
 * until the file is whole. That the settings ask for no registry any more does not restart K3s either.
 */
async function isWhole(host: HostReader, { paths }: StampedNode): Promise<boolean> {
  const text = await fileText(host, paths.k3s.registries);
  return text.trim() !== '' && parseRegistries(text) !== undefined;
}

/** K3s is restarted for a whole provider of ours, and for none where the settings want none. */
async function isFitProvider(host: HostReader, { paths, settings }: StampedNode): Promise<boolean> {
  const text = await fileText(host, paths.k3s.credentialProvider);
  if (text.trim() === '') return settings.registries.servers.length === 0;
  return ownContent(text) !== undefined && (await hasPlugin(host, paths));
}

function ofRegistries(view: (content: Registries) => unknown) {
  return async (host: HostReader, { k3s }: NodePaths) => {
    const text = await fileText(host, k3s.registries);
    const content = parseRegistries(text);
    return content ? canonical(view(content)) : text;
  };
}

/** The kubelet that runs keeps to the registries that it was given at its start. */
async function lastingLogins(
  host: HostReader,
  paths: NodePaths,
  notes: StartNotes,
): Promise<string | undefined> {
  const content = parseRegistries(await fileText(host, paths.k3s.registries));
  if (!content) return undefined;
  const asked = servedSince(notes) ?? (await served(host, paths));
  const lasting = Object.entries(content.configs ?? {}).filter(
    ([name, { auth }]) => auth && !asked.includes(name),
  );
  return canonical(Object.fromEntries(lasting.map(([name, { auth }]) => [name, auth])));
}

async function served(host: HostReader, { k3s }: NodePaths): Promise<readonly string[]> {
  return servedRegistries(await fileText(host, k3s.credentialProvider));
}

/** When the logins in registries.yaml end that are those of the store, where they do; epoch milliseconds, by registry. */
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

/** The same text for the same content, whatever the order of its keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
