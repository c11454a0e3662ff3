import * as z from 'zod/mini';
import type { HostReader } from '../../engine/host.ts';
import { readApi } from '../../kubernetes/api.ts';
import { objectPath } from '../../kubernetes/object-path.ts';
import type { K3sNode } from '../../node.ts';
import { nodeAccess } from '../../node-access.ts';

const text = z.nullish(z.string());
const texts = z.nullish(z.record(z.string(), z.string()));
const taint = z.object({ key: z.string(), value: text, effect: z.string() });
const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: text,
  message: text,
  lastHeartbeatTime: text,
  lastTransitionTime: text,
});

/** One field manager, and the fields that it set (meta/v1, ManagedFieldsEntry). */
const manager = z.object({
  manager: text,
  fieldsV1: z.nullish(z.looseObject({ 'f:spec': z.nullish(z.looseObject({})) })),
});

/** The fields of a Node that Slipway reads (Kubernetes API, core/v1). The API omits each field that is not set. */
export const apiNode = z.object({
  metadata: z.nullish(
    z.object({
      uid: text,
      resourceVersion: text,
      annotations: texts,
      labels: texts,
      managedFields: z.nullish(z.array(manager)),
    }),
  ),
  spec: z.nullish(z.object({ unschedulable: z.nullish(z.boolean()), taints: z.nullish(z.array(taint)) })),
  status: z.nullish(
    z.object({
      conditions: z.nullish(z.array(condition)),
      nodeInfo: z.nullish(z.object({ kubeletVersion: text })),
    }),
  ),
});

export type ApiNode = z.output<typeof apiNode>;

/** Returns the path of the Node with this name in the API. */
export function nodePath({ name }: Pick<K3sNode, 'name'>): string {
  return objectPath({ apiVersion: 'v1', resource: 'nodes', name });
}

/**
 * Reads this node's own Node; `undefined` if the cluster does not have it. The request names no resourceVersion, so the
 * API answers with the newest state, not from a cache that may be stale. Throws the errors of `readApi`.
 */
export async function readOwnNode(host: HostReader, node: K3sNode): Promise<ApiNode | undefined> {
  return readApi(host, await nodeAccess(host, node), nodePath(node), apiNode);
}
