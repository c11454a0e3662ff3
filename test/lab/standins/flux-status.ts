/**
 * The statuses that source-controller and kustomize-controller set, as observed with a real Flux 2.9.4. A failure
 * leaves the status's own `observedGeneration` unchanged, but sets the `observedGeneration` of each condition.
 */
import type { ApiObject } from './k3s-objects.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
}

/** The fields of a status that flux and the stand-in read. */
export interface FluxStatus {
  readonly observedGeneration?: number;
  readonly lastAppliedRevision?: string;
  readonly lastAttemptedRevision?: string;
  readonly artifact?: { readonly revision: string };
  readonly conditions?: readonly Condition[];
  readonly [field: string]: unknown;
}

export interface FluxObject extends ApiObject {
  readonly metadata: ApiObject['metadata'] & { readonly generation?: number };
  readonly spec: {
    readonly path?: string;
    readonly suspend?: boolean;
    readonly [field: string]: unknown;
  };
  readonly status?: FluxStatus;
}

/** Returns the status of a GitRepository that has fetched this revision. */
export function fetched(revision: string, generation: number): FluxStatus {
  const message = `stored artifact for revision '${revision}'`;
  return {
    observedGeneration: generation,
    artifact: { revision },
    conditions: [
      condition('Ready', 'True', 'Succeeded', message, generation),
      condition('ArtifactInStorage', 'True', 'Succeeded', message, generation),
    ],
  };
}

/** Returns the status of a Kustomization that has applied this revision. */
export function applied(revision: string, generation: number): FluxStatus {
  const reason = 'ReconciliationSucceeded';
  const now = new Date().toISOString();
  const history = { firstReconciled: now, lastReconciled: now, lastReconciledStatus: reason };
  return {
    observedGeneration: generation,
    lastAppliedRevision: revision,
    lastAttemptedRevision: revision,
    conditions: [condition('Ready', 'True', reason, `Applied revision: ${revision}`, generation)],
    history: [{ ...history, metadata: { revision }, totalReconciliations: 1 }],
    inventory: { entries: [] },
  };
}

/** Returns the GitRepository with the status of a failed fetch; the status keeps its artifact. */
export function fetchFailed(object: object, message: string): FluxObject {
  const reason = 'GitOperationFailed';
  return failed(object, (generation) => [
    condition('Ready', 'False', reason, message, generation),
    condition('FetchFailed', 'True', reason, message, generation),
  ]);
}

/** Returns the Kustomization with the status of a failed build; the status keeps its last applied revision. */
export function syncFailed(object: object, message: string): FluxObject {
  return failed(object, (generation) => [condition('Ready', 'False', 'BuildFailed', message, generation)]);
}

/**
 * True if the object is suspended or its last reconciliation failed. Such an object keeps its status when flux applies
 * it.
 */
export function isStanding({ spec, status }: FluxObject): boolean {
  return spec.suspend === true || readyOf(status)?.status === 'False';
}

export function readyOf(status: FluxStatus | undefined): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}

/** Returns the object with these conditions. If the object was never reconciled, its observed generation becomes -1. */
function failed(object: object, conditions: (generation: number) => readonly Condition[]): FluxObject {
  const found: FluxObject = Object(object);
  const status = { observedGeneration: -1, ...found.status };
  return { ...found, status: { ...status, conditions: conditions(generationOf(found)) } };
}

export function generationOf({ metadata }: ApiObject): number {
  return Number(metadata.generation ?? 1);
}

function condition(
  type: string,
  status: string,
  reason: string,
  message: string,
  observedGeneration: number,
): Condition {
  const lastTransitionTime = new Date().toISOString();
  return Object.assign({ type, status, reason, message, observedGeneration }, { lastTransitionTime });
}
