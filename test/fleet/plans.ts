import type { HostReader } from '../../src/agent/engine/host.ts';
import type { Resource } from '../../src/agent/engine/resource.ts';
import type { K3sNode } from '../../src/agent/node.ts';
import { nodeReady } from '../../src/agent/parts/k3s/node-ready.ts';
import { k3sService } from '../../src/agent/parts/k3s/service/service.ts';
import type { StartSources } from '../../src/agent/parts/k3s/service/start-sources.ts';
import { installedVersion } from '../../src/agent/parts/k3s/upgrade/release.ts';
import type { NodePaths } from '../../src/agent/paths.ts';
import { fileText } from '../../src/agent/resources/file-text.ts';
import { defaults } from '../../src/agent/settings/defaults.ts';
import { aNode } from '../unit/agent/a-node.ts';
import type { MakePlan } from './daemon.ts';
import type { Fleet } from './fleet.ts';
import type { FleetNode } from './fleet-node.ts';

/** The inputs of a start that a fleet changes: the configuration and the release. */
const sources: StartSources = {
  inputs: [
    { name: 'config', text: (host: HostReader, { k3s }: NodePaths) => fileText(host, k3s.config) },
    { name: 'version', text: (host: HostReader, paths: NodePaths) => installedVersion(host, paths) },
  ],
  notes: [],
  judge: async () => ({ spared: [], remarks: [] }),
};

export function k3sNodeOf({ role, name }: FleetNode, { wish, plan }: Fleet): K3sNode {
  const { concurrency, drain } = plan.maintenance;
  const maintenance = {
    ...defaults.maintenance,
    concurrency,
    drain: { ...defaults.maintenance.drain, ...drain },
  };
  return aNode(role, { name, version: wish.version, settings: { maintenance } });
}

/** Plans K3s with a gate that lets everything through, as before there were turns. */
export function withoutTurns(fleet: Fleet): MakePlan {
  return (fleetNode) => {
    const node = k3sNodeOf(fleetNode, fleet);
    const service = k3sService(node, sources, []);
    const plan: readonly Resource[] = [service, nodeReady(node, [service.id])];
    return () => plan;
  };
}
