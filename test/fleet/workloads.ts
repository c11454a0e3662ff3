import type { ApiObject } from '../lab/standins/k3s-objects.ts';
import type { Fleet } from './fleet.ts';
import { readyOf } from './node-object.ts';

const second = 1_000;

/** A Deployment of a fleet: the number of its pods, and how many of them its budget protects. */
export interface Workload {
  readonly app: string;
  readonly replicas: number;
  readonly minAvailable: number;
}

/** Creates the budgets, and the pod of a DaemonSet on each node. */
export function createWorkloads(fleet: Fleet): void {
  const { api, daemons, workloads } = fleet;
  for (const { app, minAvailable } of workloads) {
    api.objects.put('poddisruptionbudgets.policy', 'default', {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: app, namespace: 'default', generation: 1 },
      spec: { minAvailable, selector: { matchLabels: { app } } },
    });
  }
  for (const { node } of daemons) {
    putPod(fleet, { app: `logs-${node.name}`, node: node.name, owner: 'DaemonSet', isReady: true });
  }
}

/**
 * Acts as the controllers and the scheduler: replaces pods that are gone or ending, on Ready nodes without a cordon,
 * and makes them Ready some seconds later. A pod for which there is no node is not created yet.
 */
export function schedulePods(fleet: Fleet): void {
  const { api, workloads, random, timeline } = fleet;
  for (const { app, replicas } of workloads) {
    const pods = api.objects
      .list('pods', 'default')
      .filter(
        ({ metadata }) => Object(metadata.labels).app === app && metadata.deletionTimestamp === undefined,
      );
    const places = placesIn(fleet);
    for (let missing = replicas - pods.length; missing > 0 && places.length > 0; missing -= 1) {
      const node = random.pick(places);
      const pod = putPod(fleet, { app, node, owner: 'ReplicaSet', isReady: false });
      timeline.after(random.between(3, 20) * second, () => becomeReady(fleet, pod));
    }
  }
}

function placesIn({ api }: Fleet): readonly string[] {
  return api.objects
    .list('nodes')
    .filter((node) => readyOf(node) === 'True' && Object(node.spec).unschedulable !== true)
    .map(({ metadata }) => metadata.name);
}

function becomeReady({ api }: Fleet, { metadata: { name, uid } }: ApiObject): void {
  const found = api.objects.get('pods', 'default', name);
  if (found && found.metadata.uid === uid && found.metadata.deletionTimestamp === undefined) {
    api.objects.put('pods', 'default', { ...found, status: running(true) });
  }
}

interface PodSpec {
  readonly app: string;
  readonly node: string;
  readonly owner: 'ReplicaSet' | 'DaemonSet';
  readonly isReady: boolean;
}

function putPod({ api, timeline }: Fleet, { app, node, owner, isReady }: PodSpec): ApiObject {
  return api.objects.put('pods', 'default', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${app}-${timeline.count}-${node}`,
      namespace: 'default',
      labels: { app },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: owner, name: app, uid: app, controller: true }],
    },
    spec: { nodeName: node, terminationGracePeriodSeconds: 30 },
    status: running(isReady),
  });
}

function running(isReady: boolean) {
  return { phase: 'Running', conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] };
}
