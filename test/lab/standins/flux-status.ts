/**
 * The statuses that source-controller and kustomize-controller set, as a real Flux 2.9.4 showed them. The generation in
 * a status moves only on success; each condition has one of its own.
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

/** Returns the status of a GitRepository with this revision. */
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

/** Returns a GitRepository whose last fetch failed; it keeps its artifact. */
export function fetchFailed(object: object, message: string): FluxObject {
  const reason = 'GitOperationFailed';
  return failed(object, (generation) => [
    condition('Ready', 'False', reason, message, generation),
    condition('FetchFailed', 'True', reason, message, generation),
  ]);
}

/** Returns a Kustomization whose last revision could not be applied; it keeps its last applied revision. */
export function syncFailed(object: object, message: string): FluxObject {
  return failed(object, (generation) => [condition('Ready', 'False', 'BuildFailed', message, generation)]);
}

/** True if a person suspended the object, or if its last reconciliation failed, which only a person or time ends. */
export function isStanding({ spec, status }: FluxObject): boolean {
  return spec.suspend === true || readyOf(status)?.status === 'False';
}

export function readyOf(status: FluxStatus | undefined): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}

/** Sets conditions, and -1 as the observed generation of an object that was never reconciled. */
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
