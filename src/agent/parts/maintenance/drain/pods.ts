import * as z from 'zod/mini';
import type { HostReader } from '../../../engine/host.ts';
import { readApi } from '../../../kubernetes/api.ts';
import { listPath } from '../../../kubernetes/object-path.ts';
import type { K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';

const text = z.string();

/** The fields of a Pod that a drain reads (Kubernetes API, core/v1). */
const apiPod = z.object({
  metadata: z.object({
    name: text,
    namespace: text,
    uid: text,
    annotations: z.nullish(z.record(text, text)),
    ownerReferences: z.nullish(z.array(z.object({ kind: text, controller: z.nullish(z.boolean()) }))),
    deletionTimestamp: z.nullish(text),
    deletionGracePeriodSeconds: z.nullish(z.number()),
  }),
  spec: z.nullish(
    z.object({
      terminationGracePeriodSeconds: z.nullish(z.number()),
      volumes: z.nullish(
        z.array(
          z.object({
            name: text,
            emptyDir: z.nullish(z.looseObject({})),
            persistentVolumeClaim: z.nullish(z.object({ claimName: text })),
          }),
        ),
      ),
    }),
  ),
  status: z.nullish(z.object({ phase: z.nullish(text) })),
});

export type ApiPod = z.output<typeof apiPod>;

/** The number of pods in one answer, so that no answer is too long to be parsed (engine/json.ts). */
const pageSize = 25;
/** The largest number of answers that are read; a node has far fewer pods. */
const mostPages = 100;

/**
 * Reads the pods that are bound to this node, which even kubelet may read (Node authorizer: only with this field
 * selector). Throws the errors of `readApi`.
 */
export async function readOwnPods(host: HostReader, node: K3sNode): Promise<readonly ApiPod[]> {
  const access = await nodeAccess(host, node);
  const pods: ApiPod[] = [];
  let next: string | undefined;
  for (let count = 0; count < mostPages; count += 1) {
    const query = new URLSearchParams({
      fieldSelector: `spec.nodeName=${node.name}`,
      limit: String(pageSize),
      ...(next && { continue: next }),
    });
    const found = await readApi(host, access, `${listPath(podKind)}?${query}`, page);
    pods.push(...(found?.items ?? []));
    next = found?.metadata?.continue ?? undefined;
    if (!next) {
      break;
    }
  }
  return pods;
}

export const podKind = { apiVersion: 'v1', resource: 'pods' } as const;

const page = z.object({
  metadata: z.nullish(z.object({ continue: z.nullish(text) })),
  items: z.nullish(z.array(apiPod)),
});

/** Returns the namespace and the name of a pod, such as `default/web-0`. */
export function nameOf({ metadata: { namespace, name } }: ApiPod): string {
  return `${namespace}/${name}`;
}
