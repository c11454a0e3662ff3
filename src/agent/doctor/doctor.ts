import type { Cloud } from '../cloud/cloud.ts';
import type { Settings } from '../config/schema.ts';
import type { Host, HostReader } from '../core/host.ts';
import type { Resource } from '../core/resource.ts';
import type { K3sNode } from '../k3s/node.ts';
import type { NodePaths } from '../paths.ts';
import { cloudProbes } from './cloud.ts';
import { conditionProbes } from './conditions.ts';
import { type Measures, machineProbes } from './machine.ts';
import { networkProbes } from './network.ts';
import { portProbes } from './ports.ts';
import type { Probe } from './probe.ts';

/** What is known of the node that is to be examined. */
export interface Patient {
  /** The machine itself. */
  readonly machine: HostReader;
  readonly measure: () => Promise<Measures>;
  readonly paths: NodePaths;
  /** What needs settings; absent where these cannot be read, which the plan tells. */
  readonly configured:
    | { readonly settings: Settings; readonly host: Host; readonly cloud: Cloud }
    | undefined;
  readonly node: K3sNode | undefined;
  readonly plan: readonly Resource[];
}

/** The whole chain that a Ready node hangs on, in its order: machine, network, cloud, and the node's own conditions. */
export function probesFor({ machine, measure, paths, configured, node, plan }: Patient): readonly Probe[] {
  return [
    ...machineProbes({ host: machine, measure, data: paths.k3s.data }),
    ...portProbes(machine, node?.role.k3s),
    ...(configured
      ? [
          ...networkProbes({
            host: configured.host,
            names: hostsOf(configured.settings),
            proxy: configured.settings.network.proxy,
          }),
          ...cloudProbes({ ...configured, node }),
        ]
      : []),
    ...conditionProbes(configured?.host ?? machine, plan),
  ];
}

function hostsOf({ registries, azure, k3s }: Settings): readonly string[] {
  const vault = azure.keyVault.url === undefined ? [] : [new URL(azure.keyVault.url).hostname];
  return [...new Set([...registries.servers, ...vault, new URL(k3s.releaseUrl).hostname])];
}
