import { join } from 'node:path';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import { noneOf, removing } from '../../../resources/removed.ts';

const namespaces = '/run/netns';
const interfaces = '/sys/class/net';
const bridge = 'cni0';

/**
 * The interfaces that K3s creates: its bridge, flannel's tunnels by backend and address family, and kube-proxy's device
 * for IPVS.
 */
const made: readonly string[] = [
  bridge,
  ...['flannel.1', 'flannel-v6.1', 'flannel-wg', 'flannel-wg-v6'],
  'kube-ipvs0',
];

/**
 * Removes the network namespaces of pods: files on which a namespace is mounted while its pod runs. CNI names these
 * files in the same way for every program that runs its plugins, so the files of another containerd are removed too, as
 * by the script k3s-killall.sh.
 */
export function namespacesGone(needs: readonly string[]): Resource {
  return {
    id: 'Gone/namespaces',
    summary: 'remove the network namespaces of pods',
    condition: 'System',
    needs,
    async check(host) {
      const names = (await host.list(namespaces)).filter((name) => name.startsWith('cni-'));
      const summary = `remove the network namespaces of pods: ${names.length}`;
      return noneOf(names, { summary, remedy: removing(names.map((name) => join(namespaces, name))) });
    },
  };
}

/** Deletes the network interfaces of K3s and of its pods. */
export function interfacesGone(needs: readonly string[]): Resource {
  return {
    id: 'Gone/interfaces',
    summary: 'delete the network interfaces of K3s',
    condition: 'System',
    needs,
    async check(host) {
      const names = await k3sInterfaces(host);
      const summary = `delete network interfaces: ${names.join(' ')}`;
      return noneOf(names, { summary, remedy: (host) => deleteEach(host, names) });
    },
  };
}

/**
 * Returns the interfaces of pods, then those of K3s. The bridge must be deleted after the pods' interfaces, which only
 * their bridge distinguishes from others.
 */
async function k3sInterfaces(host: HostReader): Promise<readonly string[]> {
  const all = await host.list(interfaces);
  const stats = await Promise.all(all.map((name) => host.stat(join(interfaces, name, 'master'))));
  const ofPods = all.filter(
    (name, at) => name.startsWith('veth') && stats[at]?.target?.endsWith(`/${bridge}`),
  );
  return [...ofPods, ...made.filter((name) => all.includes(name))];
}

/**
 * Deletes all interfaces, and then throws the first failure. A failure does not count if the interface has disappeared,
 * as that of a pod does when its namespace is removed.
 */
async function deleteEach(host: Host, names: readonly string[]): Promise<void> {
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      await host.run({ file: 'ip', args: ['link', 'delete', name] });
    } catch (thrown) {
      const isGone = thrown instanceof NodeError && !(await host.stat(join(interfaces, name)));
      if (!isGone) {
        failures.push(thrown);
      }
    }
  }
  if (failures.length > 0) {
    throw failures[0];
  }
}
