import type { Host } from '../engine/host.ts';
import type { Resource } from '../engine/resource.ts';
import type { K3sNode } from '../node.ts';
import type { NodePaths } from '../paths.ts';
import { backupPart } from './backup/index.ts';
import {
  accessInputs,
  certificateNote,
  joinedCluster,
  k3sPart,
  programInputs,
  type StartSources,
  serverNote,
  stampStart,
} from './k3s/index.ts';
import { type K3sPorts, k3sResources } from './k3s-resources.ts';
import { directoriesId, machinePart, preflight } from './machine/index.ts';
import { maintenancePart } from './maintenance/index.ts';
import { imdsGuard, natUnlessWanted, networkPart } from './network/index.ts';
import type { Part } from './part.ts';
import { judgeLogins, registryInputs, registryNotes, registryPart } from './registry/index.ts';
import { workloadsPart } from './workloads/index.ts';

/** All parts of a node. */
export const parts: readonly Part[] = [
  machinePart,
  networkPart,
  registryPart,
  k3sPart,
  maintenancePart,
  backupPart,
  workloadsPart,
];

export interface NodePorts extends K3sPorts {
  /** The memory of this machine in megabytes. */
  readonly memory: number;
}

/**
 * The inputs and notes of all parts for the stamp of a K3s start, and the function that judges which changes need no
 * restart. Reordering the inputs is not a change.
 */
export const startSources: StartSources = {
  inputs: [...programInputs, ...registryInputs, ...accessInputs],
  notes: [...registryNotes, certificateNote, serverNote],
  judge: judgeLogins,
};

/** Writes the stamp of the K3s start that is about to happen, from the inputs and notes of all parts. */
export function stamp(
  host: Host,
  paths: NodePaths,
  { invocationId }: { readonly invocationId: string | undefined },
): Promise<void> {
  return stampStart(host, paths, startSources, invocationId);
}

/**
 * Returns a node's Resources: machine checks, NAT removal, the metadata guard, and then K3s with its registry logins,
 * maintenance and workloads.
 */
export function nodeResources(node: K3sNode, ports: NodePorts): readonly Resource[] {
  return [
    ...preflight(node, ports.memory, ports.free),
    ...natUnlessWanted(node.settings, node.paths),
    ...imdsGuard(node, (host) => joinedCluster(host, node)),
    ...k3sResources(node, ports, startSources, [directoriesId]),
  ];
}
