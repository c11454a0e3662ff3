import type { ApiObject } from '../lab/standins/k3s-objects.ts';

/** Returns the status of a Node's Ready condition. */
export function readyOf(node: ApiObject): string | undefined {
  const conditions: readonly { type: string; status: string }[] = Object(node.status).conditions ?? [];
  return conditions.find(({ type }) => type === 'Ready')?.status;
}

export function isCordoned(node: ApiObject): boolean {
  return Object(node.spec).unschedulable === true;
}

/** True if Slipway has cordoned a Node. */
export function isCordonedByUs(node: ApiObject): boolean {
  return isCordoned(node) && annotationsOf(node)['slipway.dev/cordon'] !== undefined;
}

export function annotationsOf({ metadata }: ApiObject): Readonly<Record<string, string>> {
  return Object(metadata.annotations ?? {});
}
