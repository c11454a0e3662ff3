import * as z from 'zod/mini';
import { NodeError } from '../../engine/errors.ts';
import type { Host, HostReader } from '../../engine/host.ts';
import { printableLine } from '../../engine/printable.ts';
import { patchObject, readApi } from '../../kubernetes/api.ts';
import type { K3sNode } from '../../node.ts';
import { kubeletAccess } from '../../node-access.ts';
import { nodePath } from './own-node.ts';

/** The annotations that Slipway writes on its Node, by their full keys; excludes those of other programs. */
export type Annotations = Readonly<Record<string, string>>;

const domain = 'slipway.dev';

/**
 * The keys of the annotations. Each begins with a DNS name, as Kubernetes requires of keys that programs write
 * ("Annotations: syntax").
 */
export const annotationKeys = {
  version: `${domain}/version`,
  role: `${domain}/role`,
  ready: `${domain}/ready`,
  reason: `${domain}/reason`,
  failing: `${domain}/failing`,
} as const;

/**
 * Reads the annotations that Slipway wrote on this Node, with the kubelet's credentials. Throws `NodeNotFound` if the
 * cluster does not have the Node, and the errors of `readApi`.
 */
export async function readAnnotations(host: HostReader, node: K3sNode): Promise<Annotations> {
  const access = await kubeletAccess(host, node);
  const found = await readApi(host, access, nodePath(node), annotated, 'objectMetadata');
  if (found === undefined) {
    throw new NodeError('NodeNotFound', `The cluster has no node ${node.name}.`);
  }
  const all = Object.entries(found.metadata?.annotations ?? {});
  return Object.fromEntries(all.filter(([key]) => ours.includes(key)));
}

/** Writes the annotations with the kubelet's credentials, which allow changes to this Node only (NodeRestriction). */
export async function annotate(host: Host, node: K3sNode, annotations: Annotations): Promise<void> {
  const pairs = Object.entries(annotations).map(([key, value]) => [key, printableLine(value)]);
  const patch = { metadata: { annotations: Object.fromEntries(pairs) } };
  await patchObject(host, await kubeletAccess(host, node), nodePath(node), patch);
}

const ours: readonly string[] = Object.values(annotationKeys);

/** The part of a Node that contains its annotations (Kubernetes API, core/v1). */
const annotated = z.object({
  metadata: z.nullish(z.object({ annotations: z.nullish(z.record(z.string(), z.string())) })),
});
