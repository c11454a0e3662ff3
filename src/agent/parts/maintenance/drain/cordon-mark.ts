import * as z from 'zod/mini';
import { parseJson } from '../../../engine/json.ts';
import { printableLine } from '../../../engine/printable.ts';
import { fieldManager } from '../../../kubernetes/api.ts';
import type { ApiNode } from '../../k3s/index.ts';

/** The annotation of a Node that Slipway cordoned. */
export const cordonKey = 'slipway.dev/cordon';

const words = z.string().check(z.maxLength(200));

const mark = z.object({
  /** What the node was cordoned for, in words. */
  why: words,
  /** The time of the cordon (RFC 3339), for readers; nothing depends on it. */
  since: words,
});

/** Why and since when Slipway cordoned the node. */
export type CordonMark = z.output<typeof mark>;

/** The cordon of a Node: by Slipway, by a person or another program, or none. */
export interface Cordon {
  readonly by: 'slipway' | 'another' | 'nobody';
  /** True if the Node has Slipway's annotation, even if it is damaged or the cordon is gone. */
  readonly isMarked: boolean;
  /** The annotation; `undefined` if it is missing or damaged. */
  readonly mark: CordonMark | undefined;
}

/**
 * Returns whose cordon a Node has. It is Slipway's if the Node has the annotation, which Slipway writes and removes in
 * the same request as the cordon. If a person has uncordoned and cordoned the node since, the annotation is out of
 * date, but the API lists another manager of the field (meta/v1, ManagedFieldsEntry): then the cordon is that person's.
 */
export function cordonOf(node: ApiNode): Cordon {
  const text = node.metadata?.annotations?.[cordonKey];
  const isMarked = text !== undefined;
  const known = text === undefined ? undefined : parseJson(mark, text.slice(0, longest));
  if (!node.spec?.unschedulable) {
    return { by: 'nobody', isMarked, mark: known };
  }
  const managers = managersOf(node);
  const isOurs = isMarked && (managers.length === 0 || managers.includes(fieldManager));
  return { by: isOurs ? 'slipway' : 'another', isMarked, mark: known };
}

/** Returns the annotation for a cordon that begins now. */
export function cordonMark(why: string, now: number): string {
  const since = new Date(now).toISOString();
  return JSON.stringify({ why: printableLine(why).slice(0, 200), since } satisfies CordonMark);
}

/** Returns the managers of the field spec.unschedulable; empty if the API does not show them. */
function managersOf({ metadata }: ApiNode): readonly string[] {
  return (metadata?.managedFields ?? [])
    .filter(({ fieldsV1 }) => fieldsV1?.['f:spec']?.['f:unschedulable'] !== undefined)
    .map(({ manager }) => manager ?? '');
}

/** The longest annotation that is read, in characters. */
const longest = 1_000;
