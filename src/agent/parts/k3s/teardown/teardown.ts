import { join } from 'node:path';
import { inSync, type Resource } from '../../../engine/resource.ts';
import { unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { unless } from '../../../resources/combinators.ts';
import { removed } from '../../../resources/removed.ts';
import { unitsForgotten } from '../../../resources/units-forgotten.ts';
import { unitsStopped } from '../../../resources/units-stopped.ts';
import { interfacesGone, namespacesGone } from './interfaces.ts';
import { emptied, unmounted, unmountedId } from './mounts.ts';
import { packetFilterCleared, rulesGoneIds } from './packet-filter.ts';
import { processesEnded } from './processes.ts';
import { scriptPaths } from './scripts.ts';

/** The units that run K3s, as a server and as an agent. */
export const k3sUnits: readonly string[] = [unitName('server'), unitName('agent')];

/**
 * Stops K3s and everything it runs, and with `forGood` disables its units. Removes what K3s leaves in the kernel
 * (mounts, network namespaces, interfaces and packet filter rules) and the state of CNI in /var/lib/cni. Keeps units,
 * settings and data (https://docs.k3s.io/upgrades/killall).
 *
 * Below a root other than `/`, only affects services, mounts and files below that root, since everything else belongs
 * to the machine itself. The state of CNI contains addresses without the names of their users, so another user of CNI,
 * such as nerdctl, loses its state too.
 */
export function k3sStopped(paths: NodePaths, forGood: boolean): readonly Resource[] {
  const service = unitsStopped({
    id: 'Stopped/k3s',
    summary: `stop K3s${forGood ? ', and start it no more at boot' : ''}`,
    condition: 'K3sRunning',
    units: k3sUnits,
    root: paths.root,
    forGood,
  });
  const kernel = (...resources: readonly Resource[]) => (paths.root === '/' ? resources : []);
  const processes = kernel(processesEnded(paths, [service.id]));
  const mounts = unmounted(
    mountPlaces(paths),
    [service, ...processes].map(({ id }) => id),
    paths.root,
  );
  return [
    service,
    ...processes,
    mounts,
    ...kernel(namespacesGone([mounts.id]), interfacesGone([service.id])),
    removed({ path: join(paths.root, 'var/lib/cni'), condition: 'System', needs: [mounts.id] }),
    ...kernel(...packetFilterCleared(paths, [service.id])),
  ];
}

/**
 * Removes K3s: stops it permanently, then deletes its units, program, links, scripts, configuration, kernel settings
 * and data. Deletes files only after every K3s process has ended and nothing that K3s mounted is left; otherwise the
 * deletion would also empty pods' volumes.
 */
export function k3sRemoved(paths: NodePaths): readonly Resource[] {
  const needs = [unmountedId];
  const gone = (path: string) => removed({ path, condition: 'K3sBinary', needs });
  return [
    ...k3sStopped(paths, true),
    ...k3sUnits.flatMap((unit) => unitFiles(paths, unit)).map(gone),
    unitsForgotten({
      id: 'Forgotten/k3s',
      condition: 'K3sRunning',
      units: k3sUnits,
      root: paths.root,
      needs,
    }),
    ...['kubectl', 'crictl', 'ctr'].map((name) => linkGone(join(paths.system.bin, name), needs)),
    ...scriptPaths(paths).map(gone),
    ...[paths.k3s.binary, paths.k3s.next, paths.k3s.previous].map(gone),
    gone(join(paths.root, 'etc/rancher/k3s')),
    gone(paths.system.modules),
    gone(paths.system.sysctl),
    // The data contains the programs that clear the packet filter if the system lacks them.
    emptied(paths.k3s.data, [...needs, ...(paths.root === '/' ? rulesGoneIds : [])], paths.root),
    ...otherData(paths).map((path) => emptied(path, needs, paths.root)),
  ];
}

/**
 * Returns the prefixes of the paths at which K3s, its containerd and kubelet mount file systems. Other mounts among the
 * K3s files, such as an operator's disk for volumes or the database, must stay mounted.
 */
function mountPlaces({ root, k3s }: NodePaths): readonly string[] {
  const others = ['run/k3s', 'var/lib/kubelet/pods', 'var/lib/kubelet/plugins'];
  const directories = [join(k3s.data, 'agent/containerd'), ...others.map((path) => join(root, path))];
  return [...directories.map((path) => `${path}/`), ...(root === '/' ? ['/run/netns/cni-'] : [])];
}

function otherData({ root }: NodePaths): readonly string[] {
  return ['var/lib/kubelet', 'run/k3s', 'run/flannel', 'run/slipway-k3s'].map((path) => join(root, path));
}

/**
 * Returns the paths of the link that starts K3s at boot, of the K3s installer's environment file, and of the unit.
 * Omits drop-ins, which belong to the operator.
 */
function unitFiles({ system }: NodePaths, unit: string): readonly string[] {
  return [`multi-user.target.wants/${unit}`, `${unit}.env`, unit].map((name) => join(system.units, name));
}

/** Removes a link to K3s; keeps any other file at this path. */
function linkGone(path: string, needs: readonly string[]): Resource {
  const gone = removed({ path, condition: 'K3sBinary', needs });
  return unless(gone, async (host) => {
    const target = (await host.stat(path))?.target ?? '';
    return /^(.*\/)?k3s$/.test(target) ? undefined : inSync();
  });
}
