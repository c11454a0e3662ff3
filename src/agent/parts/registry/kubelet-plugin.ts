import { join } from 'node:path';
import { cloudSections } from '../../clouds/chosen.ts';
import { type CloudName, type Clouds, clouds } from '../../clouds/index.ts';
import { shellWord } from '../../engine/command-line.ts';
import { renderOwn } from '../../engine/own-file.ts';
import type { Resource } from '../../engine/resource.ts';
import type { K3sNode } from '../../node.ts';
import { ownFiles } from '../../own-files.ts';
import { file } from '../../resources/file.ts';
import type { DeepReadonlyInput } from '../../settings/deep-readonly.ts';
import type { Settings, WrittenSettings } from '../../settings/schema.ts';
import { noProvider, pluginName, providerConfig } from './kubelet-config.ts';

/**
 * Installs kubelet's image credential provider, which gives every pull from our login servers a fresh login
 * (https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/): the plugin, the settings that it
 * needs to fetch a login itself, and the configuration that kubelet reads when K3s starts.
 *
 * Removes the provider if the settings name no login server.
 */
export function credentialProvider(node: K3sNode): readonly Resource[] {
  const { paths, settings } = node;
  if (settings.registries.servers.length === 0) {
    return [noProvider(paths)];
  }
  const plugin = file({
    path: join(paths.k3s.credentialProviderBin, pluginName),
    content: renderPlugin(node),
    mode: 0o755,
    replacesLinks: true,
    condition: 'CredentialProvider',
  });
  const provider = file({
    path: paths.slipway.providerSettings,
    content: renderProviderSettings(settings),
    mode: 0o600,
    condition: 'CredentialProvider',
  });
  return [plugin, provider, providerConfig(node, [plugin.id])];
}

/**
 * Returns the text of the plugin. The plugin is a script, so that it exists even if Slipway's executable is missing:
 * if kubelet does not find its plugin, kubelet exits, and K3s with it. The executable gets no environment variables of
 * K3s and writes no core dump.
 */
export function renderPlugin({ slipway }: Pick<K3sNode, 'slipway'>): string {
  return `#!/bin/sh
# Written by Slipway: kubelet runs this for the login to a registry, and Slipway answers.
slipway=${shellWord(slipway)}
if [ ! -x "$slipway" ]; then
  printf '%s\\n' "${pluginName}: $slipway is not there, so kubelet gets no login; install Slipway again" >&2
  exit 1
fi
# K3s's unit allows core dumps, and one would hold a credential.
ulimit -c 0 2>/dev/null || :
exec /usr/bin/env -i "$slipway" "$@"
`;
}

/**
 * Returns a settings file with only the settings that fetching a login needs, so that an operator's broken settings do
 * not break a pull. The file is JSON, which is also YAML and fast to write.
 */
export function renderProviderSettings(settings: Settings, table: Clouds = clouds): string {
  const { cloud, network, registries, consent } = settings;
  const { servers } = registries;
  const { identityHosts, plainHttp } = consent;
  const shown = { registries: { servers }, consent: { identityHosts, plainHttp } };
  const part = { cloud, ...cloudSections(settings, table), network, ...shown } satisfies Part;
  return renderOwn(ownFiles.providerSettings, part);
}

/**
 * The settings in the form of a settings file. Unlike loaded settings, they contain neither Secrets nor times in
 * milliseconds.
 */
type Part = DeepReadonlyInput<Pick<WrittenSettings, 'cloud' | CloudName | 'network'>> & {
  readonly registries: DeepReadonlyInput<Pick<WrittenSettings['registries'], 'servers'>>;
  readonly consent: DeepReadonlyInput<Pick<WrittenSettings['consent'], 'identityHosts' | 'plainHttp'>>;
};
