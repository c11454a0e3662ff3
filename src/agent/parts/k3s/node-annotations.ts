import * as z from 'zod/mini';
import { NodeError } from '../../engine/errors.ts';
import type { Host, HostReader } from '../../engine/host.ts';
import { parseJson } from '../../engine/json.ts';
import { printableLine } from '../../engine/printable.ts';
import { type K3sNode, kubeletKubectl } from '../../node.ts';
import { askApi } from '../../resources/kubectl.ts';

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
 * Reads the annotations that Slipway wrote on this Node, with the kubelet's credentials. Throws `ApiUnavailable` if
 * kubectl fails or prints something other than a Node.
 */
export async function readAnnotations(host: HostReader, node: K3sNode): Promise<Annotations> {
  const command = kubeletKubectl(node, 'get', 'node', node.name, '-o', 'json');
  const { exitCode, stdout, stderr } = await askApi(host, command);
  const found = exitCode === 0 ? annotationsIn(stdout) : undefined;
  if (found) {
    return found;
  }
  const why =
    stderr.trim().split('\n').at(-1) || `kubectl get node ended with ${exitCode} and without a Node`;
  throw new NodeError('ApiUnavailable', `The Kubernetes API does not show kubelet its Node: ${why}.`);
}

/** Writes the annotations with the kubelet's credentials, which allow changes to this Node only (NodeRestriction). */
export async function annotate(host: Host, node: K3sNode, annotations: Annotations): Promise<void> {
  const pairs = Object.entries(annotations).map(([key, value]) => `${key}=${printableLine(value)}`);
  await host.run(kubeletKubectl(node, 'annotate', 'node', node.name, ...pairs, '--overwrite'));
}

function annotationsIn(text: string): Annotations | undefined {
  const found = parseJson(annotated, text);
  const all = Object.entries(found?.metadata?.annotations ?? {});
  return found && Object.fromEntries(all.filter(([key]) => ours.includes(key)));
}

const ours: readonly string[] = Object.values(annotationKeys);

/** The part of a Node that contains its annotations (Kubernetes API, core/v1). */
const annotated = z.object({
  metadata: z.nullish(z.object({ annotations: z.nullish(z.record(z.string(), z.string())) })),
});
