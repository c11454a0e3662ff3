import { join } from 'node:path';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import type { K3sNode } from '../../node.ts';
import type { NodePaths } from '../../paths.ts';
import { unless } from '../../resources/combinators.ts';
import { file } from '../../resources/file.ts';
import { fileText } from '../../resources/file-text.ts';
import { noneOf, removing } from '../../resources/removed.ts';
import { quotedYaml } from '../../settings/quoted-yaml.ts';
import { k3sFlags, otherProviderFlag } from '../k3s/index.ts';
import { hasPlugin, header, inOrder, isOurs, pluginName, servedRegistries } from './kubelet-config-text.ts';

export { pluginName };

/**
 * Keeps the configuration of kubelet's credential provider. Throws `ProviderNotOurs` if a flag of K3s names another
 * provider, or if another program's configuration does not make kubelet ask Slipway about each login server.
 *
 * Kubelet, and K3s with it, exits if the configuration names a missing plugin. If the plugin is missing, the
 * configuration is therefore removed, which also works on a full disk, and is written again once the plugin is back.
 */
export function providerConfig(node: K3sNode, needs: readonly string[]): Resource {
  const { credentialProvider: path } = node.paths.k3s;
  const written = file({ path, content: renderProviderConfig(node), condition: 'CredentialProvider', needs });
  return unless(written, async (host) => {
    const other = otherProviderFlag(await k3sFlags(host, node.paths), node.paths);
    if (other !== undefined) {
      throw sentElsewhere(other, node.paths.k3s.config);
    }
    const text = await fileText(host, path);
    if (!isOurs(text)) {
      return shared(path, text, node.settings.registries.servers);
    }
    return (await hasPlugin(host, node.paths)) ? undefined : withoutPlugin(host, node.paths);
  });
}

/**
 * Returns an in-sync finding if another program's configuration also names Slipway for each login server; otherwise
 * throws `ProviderNotOurs`.
 */
function shared(path: string, text: string, servers: readonly string[]): Finding {
  const served = servedRegistries(text);
  const missing = servers.filter((server) => !served.includes(server));
  if (missing.length > 0) {
    throw notOurs(path, served.length > 0 ? missing : []);
  }
  return inSync({ message: `${path} is not Slipway's alone, and has kubelet ask Slipway for every login` });
}

async function withoutPlugin(host: HostReader, { k3s }: NodePaths): Promise<Finding> {
  const { credentialProvider: path, credentialProviderBin } = k3s;
  const why = `${join(credentialProviderBin, pluginName)}, which is not a file that kubelet can run`;
  if (!(await host.stat(path))) {
    return waiting('Blocked', `waits for ${why}`, { blocks: false });
  }
  const summary = `remove ${path}, since K3s would not start again without ${why}`;
  return noneOf([path], { summary, remedy: removing([path]) });
}

/**
 * Returns the text of the configuration for exactly the login servers
 * (https://kubernetes.io/docs/reference/config-api/kubelet-config.v1/#CredentialProviderConfig). Kubelet exits if
 * apiVersion or defaultCacheDuration is missing.
 */
export function renderProviderConfig({ paths, settings }: Pick<K3sNode, 'paths' | 'settings'>): string {
  const provider = {
    name: pluginName,
    matchImages: inOrder(settings.registries.servers),
    defaultCacheDuration: '10m',
    apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
    args: ['credential-provider', '--root', paths.root],
  };
  const config = {
    apiVersion: 'kubelet.config.k8s.io/v1',
    kind: 'CredentialProviderConfig',
    providers: [provider],
  };
  const text = quotedYaml({ data: config, keys: 'PLAIN' }, 'credential-provider.yaml');
  return `${header}, from registries.servers; kubelet reads it when K3s starts.\n${text}`;
}

/**
 * Removes Slipway's configuration of kubelet's credential provider, the login store, the cache of releases without a
 * login store, and the plugin's settings. The configuration is removed first, so that K3s never starts with a
 * configuration whose files are missing. The plugin stays, since a running kubelet still calls it.
 */
export function noProvider(paths: NodePaths): Resource {
  return {
    id: 'CredentialProvider/none',
    summary: "take kubelet's credential provider away",
    condition: 'CredentialProvider',
    async check(host) {
      const left = await leftovers(host, paths);
      if (left.length === 0) {
        return inSync({ message: 'registries.servers is empty' });
      }
      return noneOf(left, { remedy: removing(left) });
    },
  };
}

/** Returns the existing files that `noProvider` removes, in the order of their removal. */
async function leftovers(host: HostReader, { k3s, slipway }: NodePaths): Promise<readonly string[]> {
  const config = isOurs(await fileText(host, k3s.credentialProvider)) ? [k3s.credentialProvider] : [];
  const all = [...config, slipway.logins, slipway.formerLogins, slipway.providerSettings];
  const stats = await Promise.all(all.map((path) => host.stat(path)));
  return all.filter((_, at) => stats[at] !== undefined);
}

const toKeepIt =
  "To keep it so, set registries.onRotate to auto, since only a restart of K3s renews containerd's own logins.";

function notOurs(path: string, missing: readonly string[]): NodeError {
  const [of, todo] =
    missing.length > 0
      ? [` to ${missing.join(', ')}`, `name these in matchImages of its entry ${pluginName}, and restart K3s`]
      : ['', 'move that file away'];
  return foreign(
    `${path} is not Slipway's and was left alone, so kubelet does not ask Slipway for logins${of}. ` +
      `To let Slipway answer, ${todo}. ${toKeepIt}`,
  );
}

function sentElsewhere(flag: string, config: string): NodeError {
  return foreign(
    `${flag} has kubelet ask another credential provider, so it does not ask Slipway for logins. ` +
      `To let Slipway answer, take it out of ${config}.d or k3s.config, and restart K3s. ${toKeepIt}`,
  );
}

function foreign(message: string): NodeError {
  return new NodeError('ProviderNotOurs', message, advisory);
}
