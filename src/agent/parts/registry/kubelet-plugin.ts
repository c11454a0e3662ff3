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
 * Kubelet's image credential provider, which gives every pull from our login servers a login that is fresh
 * (https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/): the plugin, the settings it needs
 * to fetch one itself, and kubelet's configuration, by which K3s finds them at its start.
 *
 * Where the settings name no login server, what is Slipway's is taken away.
 */
export function credentialProvider(node: K3sNode): readonly Resource[] {
  const { paths, settings } = node;
  if (settings.registries.servers.length === 0) return [noProvider(paths)];
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
 * The plugin: a script, which is there whether or not the executable is, since kubelet, and K3s with it, ends where
 * its plugin is missing. Nothing of K3s's environment goes on to the executable, which leaves no core dump.
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
 * The part of the settings with which a login is fetched, as a settings file of its own, since others may break. In JSON,
 * which is YAML, and takes no time to write.
 */
export function renderProviderSettings(settings: Settings, table: Clouds = clouds): string {
  const { cloud, network, registries, consent } = settings;
  const { servers } = registries;
  const { identityHosts, plainHttp } = consent;
  const shown = { registries: { servers }, consent: { identityHosts, plainHttp } };
  const part = { cloud, ...cloudSections(settings, table), network, ...shown } satisfies Part;
  return renderOwn(ownFiles.providerSettings, part);
}

/** What a settings file may say: neither a secret nor a time in milliseconds gets in here. */
type Part = DeepReadonlyInput<Pick<WrittenSettings, 'cloud' | CloudName | 'network'>> & {
  readonly registries: DeepReadonlyInput<Pick<WrittenSettings['registries'], 'servers'>>;
  readonly consent: DeepReadonlyInput<Pick<WrittenSettings['consent'], 'identityHosts' | 'plainHttp'>>;
};
