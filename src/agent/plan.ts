import { byActingServer } from './acting.ts';
import type { Resource } from './engine/resource.ts';
import type { GitOps } from './gitops/gitops.ts';
import type { Knowledge } from './knowledge.ts';
import { type K3sNode, mayActForCluster } from './node.ts';
import { type NodePorts, nodeResources } from './parts/index.ts';
import { namingK3sLeftRunning, nodeReadyId } from './parts/k3s/index.ts';
import { nat } from './parts/network/index.ts';
import type { NodePaths } from './paths.ts';
import { known, type LastKnown } from './resources/last-known.ts';
import type { Loaded } from './settings/load.ts';

export interface PlanPorts extends NodePorts {
  readonly gitops: GitOps;
}

/**
 * Returns the Resources of this node, in order, as far as `knowledge` determines them. While the role is unknown, the
 * errors of the Resources also name a K3s that is still running.
 */
export function planNode(
  knowledge: Knowledge,
  ports: PlanPorts | undefined,
  paths: NodePaths,
): readonly Resource[] {
  const { identity, role, node } = knowledge;
  const loaded = settingsOf(knowledge);
  const learned = [
    known({
      id: 'Settings',
      summary: 'read the settings',
      condition: 'Settings',
      lastKnown: loaded,
      tell: ({ layers }) => layers.files.map(({ origin }) => origin).join(', ') || 'defaults alone',
    }),
    // NAT needs no identity, role or secret, and comes before them: without NAT, other hosts cannot download anything.
    ...(loaded.value ? nat(loaded.value.settings, paths) : []),
    known({
      id: 'Identity',
      summary: 'ask the cloud what this VM is',
      condition: 'Identity',
      needs: ['Settings'],
      lastKnown: identity,
      tell: ({ computerName, location }) => [computerName, location].filter(Boolean).join(' in '),
    }),
    known({
      id: 'Role',
      summary: 'take the role from the tag k3s-role',
      condition: 'Role',
      needs: ['Settings', 'Identity'],
      lastKnown: role,
      tell: ({ name, summary }) => `${name}: ${summary}`,
    }),
  ];
  if (!role.value) {
    return learned.map(namingK3sLeftRunning);
  }
  if (!node.value || !ports) {
    return [...learned, nodeNamed(node)];
  }
  const whole = [...nodeResources(node.value, ports), ...gitopsResources(node.value, ports)];
  return [...learned, nodeNamed(node), ...whole];
}

/**
 * Returns the last usable settings, with the instance tags if known, and the error if the present settings or tags are
 * unusable.
 */
function settingsOf({ files, tagged }: Knowledge): LastKnown<Loaded> {
  const value = tagged.value?.loaded ?? files.value;
  const error = files.error ?? tagged.error;
  return { ...(value && { value }), ...(error && { error }) };
}

function nodeNamed(lastKnown: Knowledge['node']): Resource {
  const fault = lastKnown.error ?? lastKnown.value?.addressFault;
  return known({
    id: 'Node',
    summary: 'name the node',
    condition: 'Identity',
    needs: ['Role'],
    lastKnown: { ...lastKnown, ...(fault && { error: fault }) },
    tell: ({ name, address, guessedAddress: other }) =>
      `${name} at ${address}${other ? `, which it keeps; ${other} is named now, and node.ip: ${other} would move it` : ''}`,
  });
}

/**
 * Returns the Resources of the GitOps engine, which wait until the node is Ready; an empty list if the role has no
 * GitOps, or if the node cannot act for the cluster.
 */
function gitopsResources(node: K3sNode, { gitops, acting }: PlanPorts): readonly Resource[] {
  const { paths, role, arch } = node;
  if (!role.gitops || !mayActForCluster(node)) {
    return [];
  }
  const resources = gitops.resources({ needs: [nodeReadyId], ...gitopsPlaces(paths), arch });
  return resources.map((each) => byActingServer(node, acting, each));
}

function gitopsPlaces({ k3s, system, slipway }: K3sNode['paths']) {
  return {
    k3s: k3s.binary,
    kubeconfig: k3s.kubeconfig,
    binDir: system.bin,
    downloadTrace: slipway.gitopsDownload,
    bootstrapTrace: slipway.gitopsBootstrap,
    scratch: slipway.gitopsScratch,
    home: slipway.state,
  };
}
