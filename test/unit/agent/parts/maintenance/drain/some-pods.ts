import type { MemoryApi } from '../../../../../lab/memory-api.ts';
import type { ApiObject } from '../../../../../lab/standins/k3s-objects.ts';

/** The fields of a pod that a test sets; by default, a Deployment's pod that runs and is Ready on `vm-1`. */
export interface PodChanges {
  readonly namespace?: string;
  readonly node?: string;
  readonly owner?: string | undefined;
  /** False if the owner does not control the pod. */
  readonly isController?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly volumes?: readonly object[];
  readonly phase?: string;
  readonly ready?: boolean;
  readonly grace?: number;
}

/** Returns a pod as the API shows it, without the uid, which the API sets. */
export function pod(name: string, changes: PodChanges = {}): ApiObject {
  const { namespace = 'default', node = 'vm-1', labels = {}, annotations = {}, volumes = [] } = changes;
  const { phase = 'Running', ready = true, grace = 30, isController = true } = changes;
  const owner = 'owner' in changes ? changes.owner : 'ReplicaSet';
  const ownerReferences =
    owner === undefined ? [] : [{ kind: owner, name: 'owner', controller: isController }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels, annotations, ...(owner !== undefined && { ownerReferences }) },
    spec: { nodeName: node, volumes, terminationGracePeriodSeconds: grace },
    status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

/** Puts a pod into the cluster, and returns it with its uid. */
export function putPod({ objects }: MemoryApi, name: string, changes: PodChanges = {}): ApiObject {
  const made = pod(name, changes);
  return objects.put('pods', String(made.metadata.namespace), made);
}

/** Puts a disruption budget for the pods with the label `app`, as a user just created it. */
export function putBudget({ objects }: MemoryApi, name: string, app: string, minAvailable: number): void {
  objects.put('poddisruptionbudgets.policy', 'default', {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace: 'default', generation: 1 },
    spec: { minAvailable, selector: { matchLabels: { app } } },
  });
}

/** Returns the names of the pods on `vm-1`; a pod that is being deleted has a minus sign. */
export function podsOn({ objects }: MemoryApi, node = 'vm-1'): readonly string[] {
  return objects
    .list('pods')
    .filter(({ spec }) => Object(spec).nodeName === node)
    .map(({ metadata }) => `${metadata.deletionTimestamp ? '-' : ''}${metadata.name}`);
}
