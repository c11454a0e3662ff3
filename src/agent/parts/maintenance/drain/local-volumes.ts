import * as z from 'zod/mini';
import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { readApi } from '../../../kubernetes/api.ts';
import type { ApiAccess } from '../../../kubernetes/kubeconfig.ts';
import { objectPath } from '../../../kubernetes/object-path.ts';
import type { K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import { type ApiPod, nameOf } from './pods.ts';

/** A volume of a pod whose data is on the disk of this node. */
export interface LocalVolume {
  /** The namespace and name of the pod, and the name of the volume. */
  readonly name: string;
  /** What happens to the data when the pod is evicted. */
  readonly fate: 'deleted' | 'out of reach until the pod is back on this node';
}

/** The largest number of claims that are looked up. */
const mostClaims = 100;

/**
 * Returns the volumes of these pods whose data is on this node: emptyDir volumes, and claims bound to a volume of this
 * node's disk, such as those of K3s's local-path. Leaves out a claim that this node cannot read, because the drain does
 * not depend on it.
 */
export async function localVolumes(
  host: HostReader,
  node: K3sNode,
  pods: readonly ApiPod[],
): Promise<readonly LocalVolume[]> {
  const access = await nodeAccess(host, node);
  const found: LocalVolume[] = [];
  let claims = 0;
  for (const pod of pods) {
    for (const { name, emptyDir, persistentVolumeClaim: claim } of pod.spec?.volumes ?? []) {
      const volume = `${nameOf(pod)} ${name}`;
      if (emptyDir) {
        found.push({ name: volume, fate: 'deleted' });
      }
      claims += claim ? 1 : 0;
      if (
        claim &&
        claims <= mostClaims &&
        (await isLocal(host, access, pod.metadata.namespace, claim.claimName))
      ) {
        found.push({ name: volume, fate: 'out of reach until the pod is back on this node' });
      }
    }
  }
  return found;
}

async function isLocal(
  host: HostReader,
  access: ApiAccess,
  namespace: string,
  name: string,
): Promise<boolean> {
  try {
    const bound = objectPath({ apiVersion: 'v1', resource: 'persistentvolumeclaims', namespace, name });
    const volumeName = (await readApi(host, access, bound, claim))?.spec?.volumeName;
    if (!volumeName) {
      return false;
    }
    const path = objectPath({ apiVersion: 'v1', resource: 'persistentvolumes', name: volumeName });
    const spec = (await readApi(host, access, path, volume))?.spec;
    return Boolean(spec?.hostPath || spec?.local);
  } catch (thrown) {
    if (thrown instanceof NodeError) {
      return false;
    }
    throw thrown;
  }
}

const claim = z.object({ spec: z.nullish(z.object({ volumeName: z.nullish(z.string()) })) });

const place = z.nullish(z.looseObject({}));

const volume = z.object({ spec: z.nullish(z.object({ hostPath: place, local: place })) });
