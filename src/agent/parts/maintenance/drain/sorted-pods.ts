import type { Settings } from '../../../settings/schema.ts';
import type { ApiPod } from './pods.ts';

/** The pods of a node, by what a drain does with them. Pods that always stay are left out. */
export interface SortedPods {
  /** Pods that the drain evicts. */
  readonly toEvict: readonly ApiPod[];
  /** Pods that are being deleted, for which the drain waits. */
  readonly ending: readonly ApiPod[];
  /** Pods that the settings leave on the node. */
  readonly left: readonly LeftPod[];
}

/** A pod that the settings leave on the node, and why. */
export interface LeftPod {
  readonly pod: ApiPod;
  readonly why: 'it has an emptyDir volume' | 'it has no controller';
}

type Policy = Pick<Settings['maintenance']['drain'], 'emptyDir' | 'unmanaged'>;

/**
 * Sorts the pods of a node as `kubectl drain` does (kubectl, pkg/drain/filters.go). Mirror pods and pods of a DaemonSet
 * stay: kubelet or the DaemonSet controller would create them again on this node. Owner references show the DaemonSet,
 * because a kubelet may not read DaemonSets. Finished pods do not stay, whatever their volumes and owners.
 */
export function sortPods(pods: readonly ApiPod[], { emptyDir, unmanaged }: Policy): SortedPods {
  const mortal = pods.filter((pod) => !isMirror(pod) && !(isOfDaemonSet(pod) && !isFinished(pod)));
  const ending = mortal.filter(isEnding);
  const rest = mortal.filter((pod) => !isEnding(pod));
  const left = rest.flatMap((pod): readonly LeftPod[] => {
    if (isFinished(pod)) {
      return [];
    }
    if (emptyDir === 'leave' && hasEmptyDir(pod)) {
      return [{ pod, why: 'it has an emptyDir volume' }];
    }
    const isLeft = unmanaged === 'leave' && controllerOf(pod) === undefined;
    return isLeft ? [{ pod, why: 'it has no controller' }] : [];
  });
  return { toEvict: rest.filter((pod) => !left.some((each) => each.pod === pod)), ending, left };
}

/** True for a pod that kubelet runs from a file; the API only mirrors it. */
function isMirror({ metadata: { annotations } }: ApiPod): boolean {
  return annotations?.['kubernetes.io/config.mirror'] !== undefined;
}

function isOfDaemonSet(pod: ApiPod): boolean {
  return controllerOf(pod)?.kind === 'DaemonSet';
}

function controllerOf({ metadata: { ownerReferences } }: ApiPod) {
  return ownerReferences?.find(({ controller }) => controller === true);
}

function isEnding({ metadata: { deletionTimestamp } }: ApiPod): boolean {
  return Boolean(deletionTimestamp);
}

function isFinished({ status }: ApiPod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

function hasEmptyDir({ spec }: ApiPod): boolean {
  return spec?.volumes?.some(({ emptyDir }) => emptyDir) ?? false;
}
