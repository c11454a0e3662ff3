import type { Cloud } from './clouds/cloud.ts';
import type { Resource } from './engine/resource.ts';
import type { GitOps } from './gitops/gitops.ts';
import type { Knowledge } from './knowledge.ts';
import type { K3sNode } from './node.ts';
import { k3sResources } from './parts/k3s/k3s.ts';
import { nodeReadyId } from './parts/k3s/node-ready.ts';
import { tellingOfK3s } from './parts/k3s/service/unattended.ts';
import { directoriesId } from './parts/machine/directories.ts';
import { type FreeSpace, preflight } from './parts/machine/preflight.ts';
import { imdsGuard } from './parts/network/guard.ts';
import { known } from './resources/known.ts';
import type { Lesson } from './resources/lesson.ts';
import type { Loaded } from './settings/load.ts';

export interface PlanPorts {
  readonly cloud: Cloud;
  readonly gitops: GitOps;
  /** Megabytes of memory of this machine. */
  readonly memory: number;
  /** How much room a disk has; what is left out is not looked at. */
  readonly free?: FreeSpace;
  /** When credentials received at this time are due, so many milliseconds later at most; epoch milliseconds. */
  readonly rotateAt: (receivedAt: number, within: number) => number;
}

/** The ordered Resources of this node. Until its role is known, what is wrong is told together with what runs. */
export function planNode(knowledge: Knowledge, ports: PlanPorts | undefined): readonly Resource[] {
  const { identity, role, node } = knowledge;
  const learned = [
    known({
      id: 'Settings',
      summary: 'read the settings',
      condition: 'Settings',
      lesson: settingsOf(knowledge),
      tell: ({ layers }) => layers.files.map(({ origin }) => origin).join(', ') || 'defaults alone',
    }),
    known({
      id: 'Identity',
      summary: 'ask the cloud what this VM is',
      condition: 'Identity',
      needs: ['Settings'],
      lesson: identity,
      tell: ({ computerName, location }) => [computerName, location].filter(Boolean).join(' in '),
    }),
    known({
      id: 'Role',
      summary: 'take the role from the tag k3s-role',
      condition: 'Role',
      needs: ['Settings', 'Identity'],
      lesson: role,
      tell: ({ name, summary }) => `${name}: ${summary}`,
    }),
  ];
  if (!role.value) return learned.map(tellingOfK3s);
  return [...learned, named(node), ...(node.value && ports ? nodeResources(node.value, ports) : [])];
}

/** The settings with their tags, or why they cannot be used. */
function settingsOf({ files, tagged }: Knowledge): Lesson<Loaded> {
  const value = tagged.value?.loaded ?? files.value;
  const error = files.error ?? tagged.error;
  return { ...(value && { value }), ...(error && { error }) };
}

function named(lesson: Knowledge['node']): Resource {
  return known({
    id: 'Node',
    summary: 'name the node',
    condition: 'Identity',
    needs: ['Role'],
    lesson,
    tell: ({ name, address, guessedAddress: other }) =>
      `${name} at ${address}${other ? `, which it keeps; ${other} is named now, and node.ip: ${other} would move it` : ''}`,
  });
}

function nodeResources(
  node: K3sNode,
  { cloud, gitops, memory, free, rotateAt }: PlanPorts,
): readonly Resource[] {
  const { paths, role, arch } = node;
  return [
    ...preflight(node, memory, free),
    ...imdsGuard(node),
    ...k3sResources(node, { cloud, rotateAt }, [directoriesId]),
    ...(role.gitops ? gitops.resources({ needs: [nodeReadyId], ...gitopsPlaces(paths), arch }) : []),
  ];
}

function gitopsPlaces({ k3s, system, slipway }: K3sNode['paths']) {
  return { k3s: k3s.binary, kubeconfig: k3s.kubeconfig, binDir: system.bin, home: slipway.state };
}
