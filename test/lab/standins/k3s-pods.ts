/**
 * The eviction and deletion of pods, the budgets that delay evictions, and the end of pods.
 *
 * Models pkg/registry/core/pod/storage/eviction.go (the order of its checks, its messages, causes and Retry-After),
 * pkg/registry/core/pod/strategy.go (grace periods), the NamespaceLifecycle admission, and the disruption controller
 * for budgets with an integer `minAvailable`. Kubelet ends a pod a second after its deletion; the pod's annotation
 * `standin/ends-after` sets another number of seconds, up to its grace period, or `never` for a pod that even SIGKILL
 * does not end. Deliberately stricter: an eviction must name the uid of the pod, and have no unknown field.
 */
import type { ApiObject, Objects } from './k3s-objects.ts';
import { json, type Reply, status } from './k3s-reply.ts';

const budgets = 'poddisruptionbudgets.policy';

/** The name of a pod in a request. */
export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

/** Answers a POST to the eviction of a pod. `now` is in epoch milliseconds. */
export function evicted(objects: Objects, { namespace, name }: PodName, body: string, now: number): Reply {
  const eviction: Readonly<Record<string, unknown>> = JSON.parse(body);
  const invalid = invalidEviction(eviction, name);
  if (invalid !== undefined) {
    return status(400, 'BadRequest', invalid);
  }
  if (isTerminating(objects, namespace)) {
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const cause = { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated` };
    return refused(403, 'Forbidden', `pods "${name}" is forbidden: ${why}`, cause);
  }
  const pod = objects.get('pods', namespace, name);
  if (pod === undefined) {
    return status(404, 'NotFound', `pods "${name}" not found`);
  }
  const held = ignoresBudgets(pod) ? undefined : heldByBudget(objects, pod, namespace, now);
  return held ?? deletedPod(objects, { namespace, name }, JSON.stringify(eviction.deleteOptions), now);
}

/** Answers a DELETE of a pod: the pod ends within its grace period, or at once if it does not run. */
export function deletedPod(objects: Objects, { namespace, name }: PodName, body: string, now: number): Reply {
  const pod = objects.get('pods', namespace, name);
  if (pod === undefined) {
    return status(404, 'NotFound', `pods "${name}" not found`);
  }
  const { preconditions, gracePeriodSeconds } = Object(body === '' ? {} : JSON.parse(body));
  const uid = Object(preconditions).uid;
  if (uid !== undefined && uid !== pod.metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${pod.metadata.uid}). The object might have been deleted and then recreated`;
    return status(409, 'Conflict', `Operation cannot be fulfilled on Pod "${name}": ${why}`);
  }
  if (isFinished(pod) || Object(pod.spec).nodeName === undefined) {
    objects.remove('pods', namespace, name);
  } else if (pod.metadata.deletionTimestamp === undefined) {
    const grace = gracePeriodSeconds ?? Object(pod.spec).terminationGracePeriodSeconds ?? 30;
    const deletionTimestamp = rfc3339(now + grace * 1_000);
    const metadata = { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace };
    objects.put('pods', namespace, { ...pod, metadata });
  }
  return json(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
}

/** Acts as kubelet and the disruption controller: removes ended pods, and counts the healthy pods of each budget. */
export function settlePods(objects: Objects, now: number): void {
  for (const pod of objects.list('pods')) {
    if (hasEnded(pod, now)) {
      objects.remove('pods', String(pod.metadata.namespace), pod.metadata.name);
    }
  }
  for (const budget of objects.list(budgets)) {
    const namespace = String(budget.metadata.namespace);
    const desiredHealthy = Number(Object(budget.spec).minAvailable);
    const currentHealthy = podsOf(objects, budget).filter(isReady).length;
    const counted = {
      observedGeneration: budget.metadata.generation ?? 1,
      desiredHealthy,
      currentHealthy,
      disruptionsAllowed: Math.max(0, currentHealthy - desiredHealthy),
    };
    if (JSON.stringify(budget.status) !== JSON.stringify(counted)) {
      objects.put(budgets, namespace, { ...budget, status: counted });
    }
  }
}

function invalidEviction(eviction: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const { apiVersion, kind, metadata, deleteOptions, ...unknown } = eviction;
  if (apiVersion !== 'policy/v1' || kind !== 'Eviction') {
    return `the API version in the data (${apiVersion}) does not match the expected API version (policy/v1)`;
  }
  if (Object(metadata).name !== name) {
    return 'name in URL does not match name in Eviction object';
  }
  if (Object.keys(unknown).length > 0) {
    return `strict decoding error: unknown field "${Object.keys(unknown)[0]}"`;
  }
  return Object(Object(deleteOptions).preconditions).uid === undefined
    ? 'an eviction without the uid of the pod is not modelled'
    : undefined;
}

/** Returns the API's refusal if a budget forbids the eviction; otherwise `undefined`, and counts the disruption. */
function heldByBudget(objects: Objects, pod: ApiObject, namespace: string, now: number): Reply | undefined {
  const matching = objects
    .list(budgets, namespace)
    .filter((each) => podsOf(objects, each).some((one) => isSame(one, pod)));
  const [budget] = matching;
  if (matching.length > 1) {
    const message =
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    return json(500, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      code: 500,
    });
  }
  if (budget === undefined) {
    return undefined;
  }
  const { name } = budget.metadata;
  const {
    observedGeneration = 0,
    disruptionsAllowed = 0,
    desiredHealthy = 0,
    currentHealthy = 0,
  } = Object(budget.status);
  if (!isReady(pod) && currentHealthy >= desiredHealthy && desiredHealthy > 0) {
    return undefined;
  }
  if (observedGeneration < Number(budget.metadata.generation ?? 1)) {
    const message = `The disruption budget ${name} is still being processed by the server.`;
    return tooMany(message, { 'retry-after': '10' });
  }
  if (disruptionsAllowed === 0) {
    return tooMany(
      `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
    );
  }
  const disruptedPods = { [pod.metadata.name]: rfc3339(now) };
  const counted = { ...Object(budget.status), disruptionsAllowed: disruptionsAllowed - 1, disruptedPods };
  objects.put(budgets, namespace, { ...budget, status: counted });
  return undefined;
}

function tooMany(message: string, headers: Reply['headers'] = {}): Reply {
  const why = "Cannot evict pod as it would violate the pod's disruption budget.";
  return { ...refused(429, 'TooManyRequests', why, { reason: 'DisruptionBudget', message }), headers };
}

function refused(code: number, reason: string, message: string, cause: object): Reply {
  return json(code, { ...JSON.parse(status(code, reason, message).body), details: { causes: [cause] } });
}

function isTerminating(objects: Objects, namespace: string): boolean {
  return objects.get('namespaces', undefined, namespace)?.metadata.deletionTimestamp !== undefined;
}

function podsOf(objects: Objects, { metadata, spec }: ApiObject): readonly ApiObject[] {
  const labels = Object.entries(Object(Object(Object(spec).selector).matchLabels));
  return objects
    .list('pods', String(metadata.namespace))
    .filter(
      (pod) =>
        labels.length > 0 && labels.every(([key, value]) => Object(pod.metadata.labels)[key] === value),
    );
}

function isSame(one: ApiObject, other: ApiObject): boolean {
  return one.metadata.uid === other.metadata.uid;
}

function ignoresBudgets(pod: ApiObject): boolean {
  return (
    isFinished(pod) || Object(pod.status).phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined
  );
}

function isFinished({ status: found }: ApiObject): boolean {
  return ['Succeeded', 'Failed'].includes(Object(found).phase);
}

/** True for a pod that counts as healthy: it is Ready and not being deleted. */
function isReady({ metadata, status: found }: ApiObject): boolean {
  const conditions: readonly { type: string; status: string }[] = Object(found).conditions ?? [];
  const ready = conditions.some((each) => each.type === 'Ready' && each.status === 'True');
  return ready && metadata.deletionTimestamp === undefined;
}

function hasEnded({ metadata }: ApiObject, now: number): boolean {
  const after = Object(metadata.annotations)['standin/ends-after'] ?? '1';
  if (metadata.deletionTimestamp === undefined || after === 'never') {
    return false;
  }
  const grace = Number(metadata.deletionGracePeriodSeconds ?? 0);
  const deleted = Date.parse(String(metadata.deletionTimestamp)) - grace * 1_000;
  return now >= deleted + Math.min(Number(after), grace) * 1_000;
}

function rfc3339(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}
