import type { Resource } from '../agent/engine/resource.ts';
import { isServer, type K3sNode, unitName } from '../agent/node.ts';
import { type NodePorts, nodeResources } from '../agent/parts/index.ts';
import { joinsNoServer, restoreRefused } from '../agent/parts/k3s/index.ts';

/**
 * The Resources that are not asked before a restore, because they wait for it, or for other servers, which are off: the
 * end of the restore, the decision whether to found a cluster and its repairs, the release and the settings of the
 * other servers.
 */
export const leftOut: readonly string[] = [
  'Restore/ended',
  'Cluster/founding',
  'Cluster/repaired',
  'Cluster/removed',
  'Server/release',
  'Cluster/settings',
];

/**
 * Returns the daemon's own Resources that K3s needs for its first start, but not the start itself, for a server that
 * has no cluster yet. A hold by a tag or by the settings does not count, because a person asks for the restore. Throws
 * `RestoreRefused` on an agent.
 */
export function freshServer(node: K3sNode, ports: NodePorts): readonly Resource[] {
  if (!isServer(node)) {
    throw restoreRefused(`this VM has the role ${node.role.name}, and a datastore belongs to a server`);
  }
  const { settings, paths } = node;
  const { hold, ...maintenance } = settings.maintenance;
  const released = { ...node, joins: undefined, settings: { ...settings, maintenance } };
  const all = nodeResources(released, ports).filter(({ id }) => !leftOut.includes(id));
  const wanted = neededFor(`UnitEnabled/${unitName(node.role.k3s)}`, all);
  const first = settings.k3s.datastore === 'etcd' ? [joinsNoServer(paths, [])] : [];
  return [...first, ...all.filter(({ id }) => wanted.has(id)).map((each) => withNeeds(each, wanted))];
}

/** Returns the ids of everything that a Resource needs, directly or not; without the Resource itself. */
function neededFor(id: string, all: readonly Resource[]): ReadonlySet<string> {
  const found = new Set<string>();
  const ahead = [id];
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    const needs = all.find((each) => each.id === next)?.needs ?? [];
    const unseen = needs.filter((each) => !found.has(each) && all.some((one) => one.id === each));
    for (const each of unseen) {
      found.add(each);
      ahead.push(each);
    }
  }
  return found;
}

function withNeeds(resource: Resource, among: ReadonlySet<string>): Resource {
  return { ...resource, needs: (resource.needs ?? []).filter((id) => among.has(id)) };
}
