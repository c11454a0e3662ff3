import { join } from 'node:path';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import type { NodePaths } from '../../paths.ts';
import { fileText, readableText } from '../../resources/file-text.ts';
import type { Settings } from '../../settings/schema.ts';
import { type Flags, k3sFlags, otherProviderFlag } from '../k3s/index.ts';
import { servedRegistries } from './kubelet-config-text.ts';

/** Pulls that containerd makes without a login from kubelet. */
export interface ContainerdPull {
  /** A clause: `docker.io is mirrored by a.azurecr.io`. */
  readonly why: string;
  /** The login servers that it pulls from. */
  readonly servers: readonly string[];
}

/**
 * Returns the reasons why containerd needs fresh logins of its own on this node.
 *
 * Containerd prefers the credential that kubelet sends with a pull. It uses the one that K3s gave it at the start if
 * kubelet did not ask for the pull, or if kubelet does not ask its provider about the registry that is pulled from
 * (containerd, internal/cri/server/images/image_pull.go). K3s's addons are pods, whose images kubelet pulls.
 *
 * `served` lists the registries about which the running kubelet asks Slipway, if its stamp has them.
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

/** Returns the `containerdPulls`, or an empty list if a file they depend on cannot be read, which must not stop K3s. */
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

/** Kubelet looks up a login for the registry in the image's name, not for its mirror. */
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
 * Containerd pulls the pause image by itself. Agents take the default registry of their server
 * (pkg/agent/config/config.go); on an agent only containerd's generated configuration shows it.
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

/** K3s has containerd pull the images in these lists, at its start and later (pkg/agent/containerd/watcher.go). */
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

/** An operator may have set another provider, or ours for only some of the login servers. */
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
