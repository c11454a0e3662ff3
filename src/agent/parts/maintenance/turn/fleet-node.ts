import * as z from 'zod/mini';
import { printableLine } from '../../../engine/printable.ts';
import { annotationKeys } from '../../k3s/index.ts';
import {
  holdKey,
  readToken,
  readTurn,
  type TokenAnnotation,
  type TurnAnnotations,
  vmIdKey,
} from './annotations.ts';

const texts = z.nullish(z.record(z.string(), z.string()));
const condition = z.object({
  type: z.string(),
  status: z.string(),
  lastTransitionTime: z.nullish(z.string()),
});
const taint = z.object({ effect: z.string() });

/** The fields of a Node by which turns are granted (Kubernetes API, core/v1). */
export const fleetNodeItem = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.optional(z.string()),
    resourceVersion: z.optional(z.string()),
    annotations: texts,
    labels: texts,
  }),
  spec: z.nullish(z.object({ unschedulable: z.nullish(z.boolean()), taints: z.nullish(z.array(taint)) })),
  status: z.nullish(
    z.object({
      conditions: z.nullish(z.array(condition)),
      nodeInfo: z.nullish(z.object({ kubeletVersion: z.nullish(z.string()) })),
    }),
  ),
});

/** One node of the fleet, as the holder of the Lease sees it. */
export interface FleetNode extends TurnAnnotations {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly isServer: boolean;
  /** The status of the condition Ready: Unknown if kubelet has stopped reporting. */
  readonly ready: 'True' | 'False' | 'Unknown';
  /** True if the node serves: it is Ready, and with etcd it is also a voting member. */
  readonly serves: boolean;
  /** True if the pods of another node could run here. */
  readonly isPlace: boolean;
  /** The release of K3s that runs on the node. */
  readonly version: string;
  readonly isHeld: boolean;
  /** True if the node reports that another unit than Slipway's has started K3s. */
  readonly isAdopted: boolean;
  /** The time of the last change of the condition Ready, by another machine's clock. */
  readonly readySince?: string;
  /** How far the server is with a new join token; absent if it does not have it. */
  readonly token?: TokenAnnotation;
  /** The cloud's id of its VM; absent if the node does not show it. */
  readonly vmId?: string;
}

/** The labels that K3s sets on its servers, and that a kubelet may not set on itself (NodeRestriction). */
const serverLabels = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/etcd'];

/** Returns what the holder of the Lease needs of a Node. */
export function fleetNode({ metadata, spec, status }: z.output<typeof fleetNodeItem>): FleetNode {
  const annotations = metadata.annotations ?? {};
  const turn = readTurn(annotations);
  const ready = statusOf(status?.conditions, 'Ready');
  const readySince = status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  const vmId = annotations[vmIdKey];
  const token = readToken(annotations);
  const isServer = serverLabels.some((label) => label in (metadata.labels ?? {}));
  const isAway = (spec?.taints ?? []).some(({ effect }) => effect !== 'PreferNoSchedule');
  return {
    ...turn,
    name: metadata.name,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    isServer: isServer || turn.request?.server === true,
    ready,
    // K3s sets this condition on the members of etcd alone (k3s, pkg/etcd).
    serves: ready === 'True' && statusOf(status?.conditions, 'EtcdIsVoter', 'True') === 'True',
    isPlace: ready === 'True' && spec?.unschedulable !== true && !isAway,
    version: status?.nodeInfo?.kubeletVersion ?? '',
    isHeld: holdKey in annotations,
    isAdopted: annotations[annotationKeys.failing]?.split(',').includes(adopted) === true,
    ...(token && { token }),
    ...(readySince && { readySince }),
    ...(vmId && { vmId: printableLine(vmId.slice(0, longestId)) }),
  };
}

/** The failing condition of a node whose K3s runs from a start by another unit. */
const adopted = 'K3sRunning=UnitAdopted';

/** The longest id that is read, in characters. Any user who may change the Node may have written it. */
const longestId = 200;

function statusOf(
  conditions: readonly z.output<typeof condition>[] | null | undefined,
  type: string,
  otherwise: FleetNode['ready'] = 'Unknown',
): FleetNode['ready'] {
  const found = conditions?.find((each) => each.type === type);
  if (found === undefined) {
    return otherwise;
  }
  return found.status === 'True' || found.status === 'False' ? found.status : 'Unknown';
}
