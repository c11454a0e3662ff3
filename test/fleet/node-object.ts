import { turnKeys } from '../../src/agent/parts/maintenance/index.ts';
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

/** True if the API shows that the node is in its turn. */
export function isInTurn(object: ApiObject | undefined): boolean {
  const text = object && annotationsOf(object)[turnKeys.state];
  return text?.includes('"state":"begun"') ?? false;
}
