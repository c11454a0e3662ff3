import { join } from 'node:path';
import { stringify } from 'yaml';
import { readYaml } from '../config/yaml.ts';
import { NodeError } from '../core/errors.ts';
import type { Host, HostReader } from '../core/host.ts';
import { inSync, type Resource, waiting } from '../core/resource.ts';
import type { NodePaths } from '../paths.ts';
import { file } from '../resources/file.ts';
import { type Flags, k3sFlags } from './flags.ts';
import type { K3sNode } from './node.ts';

/** What kubelet calls the plugin: its file in the folder of plugins, and its entry in the configuration. */
export const pluginName = 'slipway-credential-provider';

const header = '# Written by Slipway';

/**
 * Kubelet's configuration of its credential provider, where it is not somebody else's: `ProviderNotOurs`.
 *
 * It is written where the plugin is only: kubelet, and K3s with it, ends where it finds the one without the other.
 */
export function providerConfig(node: K3sNode, needs: readonly string[]): Resource {
  const { credentialProvider: path, credentialProviderBin } = node.paths.k3s;
  const plugin = join(credentialProviderBin, pluginName);
  const written = file({ path, content: renderProviderConfig(node), condition: 'CredentialProvider', needs });
  return {
    ...written,
    async check(host) {
      const other = otherProviderFlag(await k3sFlags(host, node.paths), node.paths);
      if (other !== undefined) throw sentElsewhere(other, node.paths.k3s.config);
      if (!(await isOurs(host, path))) throw notOurs(path);
      if ((await host.stat(plugin))?.kind !== 'file')
        return waiting('Blocked', `waits for ${plugin}`, { blocks: false });
      return written.check(host);
    },
  };
}

/**
 * The configuration (https://kubernetes.io/docs/reference/config-api/kubelet-config.v1/#CredentialProviderConfig): asked
 * for exactly these hosts. Kubelet ends where apiVersion or defaultCacheDuration is missing.
 */
export function renderProviderConfig({ paths, settings }: Pick<K3sNode, 'paths' | 'settings'>): string {
  const provider = {
    name: pluginName,
    matchImages: settings.registries.servers,
    defaultCacheDuration: '10m',
    apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
    args: ['credential-provider', '--root', paths.root],
  };
  const config = {
    apiVersion: 'kubelet.config.k8s.io/v1',
    kind: 'CredentialProviderConfig',
    providers: [provider],
  };
  const yaml = { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', lineWidth: 0 } as const;
  return `${header}, from registries.servers; kubelet reads it when K3s starts.\n${stringify(config, yaml)}`;
}

/**
 * No credential provider of ours: kubelet's configuration goes first, so that no start of K3s finds it without what it
 * names. The plugin stays, since a kubelet that runs still calls it.
 */
export function noProvider(paths: NodePaths): Resource {
  return {
    id: 'CredentialProvider/none',
    summary: "take kubelet's credential provider away",
    condition: 'CredentialProvider',
    async check(host) {
      const left = await leftovers(host, paths);
      if (left.length === 0) return inSync({ message: 'registries.servers is empty' });
      const changes = left.map((field) => ({ field, observed: 'there', desired: undefined }));
      return { state: 'Drifted', drift: { changes, remedy: (host) => removeEach(host, left) } };
    },
  };
}

/** What there is of it, in the order in which it is to go. */
async function leftovers(host: HostReader, { k3s, slipway }: NodePaths): Promise<readonly string[]> {
  const config = (await isOurs(host, k3s.credentialProvider)) ? [k3s.credentialProvider] : [];
  const all = [...config, slipway.registryLogins, slipway.providerSettings];
  const stats = await Promise.all(all.map((path) => host.stat(path)));
  return all.filter((_, at) => stats[at] !== undefined);
}

async function removeEach(host: Host, paths: readonly string[]): Promise<void> {
  for (const path of paths) await host.remove(path);
}

/** Nothing, or what Slipway wrote, damaged though it may be. */
async function isOurs(host: HostReader, path: string): Promise<boolean> {
  const text = (await host.readFile(path))?.content ?? '';
  if (text.trim() === '' || text.includes(header)) return true;
  const { value, faults } = readYaml(text);
  if (faults.length > 0) return text.includes(pluginName);
  const { providers } = Object(value);
  return [providers ?? []].flat().some((provider) => Object(provider).name === pluginName);
}

/** The flag by which an operator has kubelet ask another provider, where there is one. */
export function otherProviderFlag(flags: Flags, { k3s }: NodePaths): string | undefined {
  const usual = {
    'image-credential-provider-config': k3s.credentialProvider,
    'image-credential-provider-bin-dir': k3s.credentialProviderBin,
  };
  const [other] =
    Object.entries(usual).find(([flag, path]) => (flags.get(flag)?.at(-1) ?? path) !== path) ?? [];
  const toKubelet = flags.get('kubelet-arg')?.find((text) => text.startsWith('image-credential-provider-'));
  return other ?? toKubelet?.split('=')[0];
}

const toKeepIt =
  "To keep it so, set registries.onRotate to auto, since only a restart of K3s renews containerd's own logins.";

function notOurs(path: string): NodeError {
  return foreign(
    `${path} is not Slipway's and was left alone, so kubelet does not ask Slipway for logins. ` +
      `To let Slipway answer, move that file away. ${toKeepIt}`,
  );
}

function sentElsewhere(flag: string, config: string): NodeError {
  return foreign(
    `${flag} has kubelet ask another credential provider, so it does not ask Slipway for logins. ` +
      `To let Slipway answer, take it out of ${config}.d or k3s.config, and restart K3s. ${toKeepIt}`,
  );
}

function foreign(message: string): NodeError {
  return new NodeError('ProviderNotOurs', message, { retry: { pace: 'slow' }, blocks: false });
}
