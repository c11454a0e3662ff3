import { join } from 'node:path';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import { noneOf, removing } from '../../../resources/removed.ts';

const namespaces = '/run/netns';
const interfaces = '/sys/class/net';
const bridge = 'cni0';

/**
 * Interfaces that K3s makes: its bridge, flannel's tunnels by backend and address family, and kube-proxy's device under
 * IPVS.
 */
const made: readonly string[] = [
  bridge,
  ...['flannel.1', 'flannel-v6.1', 'flannel-wg', 'flannel-wg-v6'],
  'kube-ipvs0',
];

/**
 * The network namespaces of pods are gone; each is a file that holds a mount while the pod lives. CNI names them for
 * any program that runs its plugins: those of another containerd's containers are removed as well, as by K3s' own
 * script.
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

/** The network interfaces of K3s and of its pods are gone. */
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

/** Lists those of pods first: without the bridge nothing distinguishes them from others. */
async function k3sInterfaces(host: HostReader): Promise<readonly string[]> {
  const all = await host.list(interfaces);
  const stats = await Promise.all(all.map((name) => host.stat(join(interfaces, name, 'master'))));
  const ofPods = all.filter(
    (name, at) => name.startsWith('veth') && stats[at]?.target?.endsWith(`/${bridge}`),
  );
  return [...ofPods, ...made.filter((name) => all.includes(name))];
}

/** Deletes interfaces, and ignores those that disappear meanwhile: a pod's interface does so with its namespace. */
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
