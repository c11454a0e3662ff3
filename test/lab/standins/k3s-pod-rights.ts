/**
 * What a kubelet may do with pods and their volumes.
 *
 * Models plugin/pkg/auth/authorizer/node (a kubelet lists pods only with the field selector spec.nodeName, and reads
 * only objects to which one of its pods is related) and NodeRestriction (it deletes and evicts only its own pods). Seen
 * with a kube-apiserver 1.36.3.
 */
import type { Attempt } from './k3s-admission.ts';
import type { ApiObject, Objects } from './k3s-objects.ts';

/** Returns why a kubelet may not send a request about pods; `undefined` if it may. */
export function refusedPod(own: string, attempt: Attempt, objects: Objects): string | undefined {
  const { method, namespace = '', name, fieldSelector, subresource } = attempt;
  if (name === undefined) {
    return fieldSelector === `spec.nodeName=${own}`
      ? undefined
      : `pods is forbidden: User "system:node:${own}" cannot list resource "pods" in API group "" at the cluster scope: can only list/watch pods with spec.nodeName field selector`;
  }
  const pod = objects.get('pods', namespace, name);
  if (pod === undefined || Object(pod.spec).nodeName === own) {
    return undefined;
  }
  const verb = { DELETE: 'delete', POST: 'evict' }[method];
  return verb === undefined
    ? unrelated(own, attempt)
    : `pods "${name}" is forbidden: node ${subresource === 'eviction' ? own : `"${own}"`} can only ${verb} pods with spec.nodeName set to itself`;
}

/** Returns why a kubelet may not read a claim; `undefined` if one of its pods mounts the claim. */
export function refusedClaim(own: string, attempt: Attempt, objects: Objects): string | undefined {
  const { method, namespace, name } = attempt;
  return method === 'GET' && claimsOf(objects, own).some((claim) => claim === `${namespace}/${name}`)
    ? undefined
    : unrelated(own, attempt);
}

/** Returns why a kubelet may not read a volume; `undefined` if one of its pods mounts the claim bound to the volume. */
export function refusedVolume(own: string, attempt: Attempt, objects: Objects): string | undefined {
  const bound = claimsOf(objects, own).map((claim) => {
    const [namespace = '', name = ''] = claim.split('/');
    return Object(objects.get('persistentvolumeclaims', namespace, name)?.spec).volumeName;
  });
  return attempt.method === 'GET' && bound.includes(attempt.name) ? undefined : unrelated(own, attempt);
}

function claimsOf(objects: Objects, own: string): readonly string[] {
  return objects
    .list('pods')
    .filter(({ spec }) => Object(spec).nodeName === own)
    .flatMap((pod) => volumesOf(pod).map((claim) => `${pod.metadata.namespace}/${claim}`));
}

function volumesOf({ spec }: ApiObject): readonly string[] {
  const volumes: readonly object[] = Object(spec).volumes ?? [];
  return volumes.flatMap((volume) => Object(Object(volume).persistentVolumeClaim).claimName ?? []);
}

function unrelated(own: string, { resource, name, namespace }: Attempt): string {
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  return `${resource} "${name}" is forbidden: User "system:node:${own}" cannot get resource "${resource}" in API group "" ${scope}: no relationship found between node '${own}' and this object`;
}
