import { join } from 'node:path';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import type { NodePaths } from '../../paths.ts';
import { fileText, readableText } from '../../resources/file-text.ts';
import type { Settings } from '../../settings/schema.ts';
import { type Flags, k3sFlags, otherProviderFlag } from '../k3s/index.ts';
import { servedRegistries } from './kubelet-config-text.ts';

/** Pulls that containerd makes without a login from kubelet, all for the same reason. */
export interface ContainerdPull {
  /** The reason as a clause: `docker.io is mirrored by a.azurecr.io`. */
  readonly why: string;
  /** The login servers from which containerd pulls. */
  readonly servers: readonly string[];
}

/**
 * Returns the pulls for which containerd itself needs fresh logins on this node.
 *
 * Containerd prefers the credential that kubelet sends with a pull. If kubelet did not request the pull, or does not
 * ask its credential provider about the registry, containerd uses the credential that it got when K3s started
 * (containerd, internal/cri/server/images/image_pull.go). The addons of K3s are pods, whose images kubelet pulls.
 *
 * `served` lists the registries about which the running kubelet asks Slipway. If absent, this function reads them from
 * the configuration of kubelet's credential provider on disk.
 */
export async function containerdPulls(
  host: HostReader,
  { paths, settings }: K3sNode,
  served?: readonly string[],
): Promise<readonly ContainerdPull[]> {
  const { servers } = settings.registries;
  if (servers.length === 0) {
    return [];
  }
  const flags = await k3sFlags(host, paths);
  return [
    ...mirrored(settings.registries),
    ...(await pauseImage(host, paths, flags, servers)),
    ...(await imageLists(host, paths, servers)),
    ...(await withoutKubelet(host, paths, flags, servers, served)),
  ];
}

/**
 * Returns the result of `containerdPulls`, or an empty list if a file that it reads is unreadable, since an unreadable
 * file must not stop K3s.
 */
export async function observedPulls(
  host: HostReader,
  node: K3sNode,
  served?: readonly string[],
): Promise<readonly ContainerdPull[]> {
  try {
    return await containerdPulls(host, node, served);
  } catch (error) {
    if (error instanceof NodeError) {
      return [];
    }
    throw error;
  }
}

/**
 * Returns the pulls for registries that are not login servers but have a login server as a mirror. Kubelet looks up a
 * login for the registry in the image's name, not for the mirror.
 */
function mirrored({ servers, mirrors }: Settings['registries']): readonly ContainerdPull[] {
  return Object.entries(mirrors).flatMap(([name, { endpoint = [] }]) => {
    const hosts = endpoint
      .map((url) => (URL.canParse(url) ? new URL(url).host : ''))
      .filter((host) => servers.includes(host));
    if (servers.includes(name) || hosts.length === 0) {
      return [];
    }
    const own = [...new Set(hosts)];
    return [
      {
        why: `${name === '*' ? 'every other registry' : name} is mirrored by ${own.join(', ')}`,
        servers: own,
      },
    ];
  });
}

/**
 * Returns the pull of the pause image, which containerd makes itself, if the image comes from a login server. Agents
 * take the default registry of their server (pkg/agent/config/config.go), so on an agent only the generated
 * configuration of containerd shows the image.
 */
async function pauseImage(
  host: HostReader,
  { k3s }: NodePaths,
  flags: Flags,
  servers: readonly string[],
): Promise<readonly ContainerdPull[]> {
  const made = await host.readFile(join(k3s.agent, 'etc/containerd/config.toml'));
  const named = [
    ['pause-image', flags.get('pause-image')?.at(-1)],
    ['system-default-registry', flags.get('system-default-registry')?.at(-1)],
    ['the pause image', /^\s*sandbox(?:_image)? = ["']([^"']+)["']/m.exec(made?.content ?? '')?.[1]],
  ] as const;
  const found = named.find(([, image]) => image !== undefined && servers.includes(registryOf(image)));
  if (found?.[1] === undefined) {
    return [];
  }
  return [{ why: `${found[0]} is ${found[1]}`, servers: [registryOf(found[1])] }];
}

/**
 * Returns the pulls of images from login servers that K3s's image lists name. Containerd makes the pulls when K3s
 * starts, and again when a list changes (pkg/agent/containerd/watcher.go).
 */
async function imageLists(
  host: HostReader,
  { k3s }: NodePaths,
  servers: readonly string[],
): Promise<readonly ContainerdPull[]> {
  const folder = join(k3s.agent, 'images');
  const lists = (await host.list(folder))
    .filter((name) => /\.txt$/i.test(name))
    .map((name) => join(folder, name));
  const texts = await Promise.all(lists.map((path) => readableText(host, path)));
  return lists.flatMap((path, at) => {
    const registries = (texts[at] ?? '').split('\n').map((line) => registryOf(line.trim()));
    const found = servers.filter((server) => registries.includes(server));
    return found.length > 0 ? [{ why: `${path} lists images of ${found.join(', ')}`, servers: found }] : [];
  });
}

function registryOf(image: string): string {
  return image.split('/')[0] ?? '';
}

/**
 * Returns the pulls from login servers about which kubelet does not ask Slipway: an operator may have configured
 * another provider, or Slipway's for only some of the login servers.
 */
async function withoutKubelet(
  host: HostReader,
  paths: NodePaths,
  flags: Flags,
  servers: readonly string[],
  known: readonly string[] | undefined,
): Promise<readonly ContainerdPull[]> {
  const { credentialProvider: path } = paths.k3s;
  const set = otherProviderFlag(flags, paths);
  if (set) {
    return [{ why: `${set} has kubelet ask another credential provider`, servers }];
  }
  const served = known ?? servedRegistries(await fileText(host, path));
  const missing = servers.filter((server) => !served.includes(server));
  if (missing.length === 0) {
    return [];
  }
  return [{ why: `${path} does not have kubelet ask Slipway about ${missing.join(', ')}`, servers: missing }];
}
