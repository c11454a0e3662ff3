/** The health checks at the end of `flux bootstrap` (fluxcd/flux2 pkg/bootstrap, Report*Health; pkg/status). */
import type { Say } from './flux-model.ts';
import { namespace, sources, syncs } from './flux-objects.ts';
import { type FluxObject, generationOf, readyOf } from './flux-status.ts';
import type { Objects } from './k3s-objects.ts';

export interface Health {
  readonly cluster: Objects;
  readonly components: readonly string[];
  readonly revision: string;
  /** The time limit in milliseconds. It applies to both objects together, and then again to the components. */
  readonly timeout: number;
  readonly say: Say;
}

interface Watched {
  readonly resource: string;
  readonly kind: string;
  revision(object: FluxObject): string | undefined;
}

const watched: readonly Watched[] = [
  { resource: sources, kind: 'GitRepository', revision: ({ status }) => status?.artifact?.revision },
  { resource: syncs, kind: 'Kustomization', revision: ({ status }) => status?.lastAttemptedRevision },
];

/** The time between two checks, in milliseconds; the real flux waits 2 s or 5 s. */
const interval = 50;
const name = `${namespace}/${namespace}`;

/**
 * Waits until the GitRepository and the Kustomization are reconciled, and then until all components are ready. Reports
 * each failure, and finally rejects with flux's summary of the failures, so that the exit code is 1 although all steps
 * of the bootstrap succeeded.
 */
export async function reportHealth(health: Health): Promise<void> {
  const errors: string[] = [];
  const end = Date.now() + health.timeout;
  for (const each of watched) {
    health.say('◎', `waiting for ${each.kind} "${name}" to be reconciled`);
    const failure = await failureOf(health, each, end);
    health.say(failure ? '✗' : '✔', failure ?? `${each.kind} reconciled successfully`);
    if (failure !== undefined) {
      errors.push(`error while waiting for ${each.kind} to be ready: '${failure}'`);
    }
  }
  if (!(await areReady(health))) {
    errors.push('timed out waiting for all resources to be ready');
  }
  if (errors.length > 0) {
    const all = errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`;
    throw new Error(`bootstrap failed with ${errors.length} health check failure(s): ${all}`);
  }
}

/**
 * Resolves to the failure of an object, at the latest when the time limit ends; to `undefined` once the object is
 * reconciled.
 */
async function failureOf(
  { cluster, revision }: Health,
  each: Watched,
  end: number,
): Promise<string | undefined> {
  for (;;) {
    const object = cluster.get(each.resource, namespace, namespace) as FluxObject | undefined;
    const state = stateOf(object, each, revision);
    if (state.done) {
      return state.failure;
    }
    if (Date.now() >= end) {
      const ready = readyOf(object?.status);
      return ready !== undefined && ready.status !== 'True'
        ? `${each.kind.toLowerCase()} '${name}' not ready: '${ready.message}'`
        : 'context deadline exceeded';
    }
    await pause();
  }
}

/**
 * Judges an object as objectReconciled does: the condition Ready does not count if the status is for an older
 * generation. A missing or suspended object has failed.
 */
function stateOf(object: FluxObject | undefined, { kind, revision }: Watched, expected: string) {
  if (object === undefined) {
    return { done: true, failure: `${kind} "${namespace}" not found` };
  }
  if (object.spec.suspend) {
    return { done: true, failure: `${kind} '${name}' is suspended` };
  }
  const { observedGeneration } = object.status ?? {};
  const ready = readyOf(object.status);
  if (observedGeneration !== undefined && observedGeneration !== generationOf(object)) {
    return { done: false };
  }
  return ready?.status === 'False'
    ? { done: true, failure: ready.message }
    : { done: ready?.status === 'True' && revision(object) === expected };
}

/**
 * Waits until all components are ready or the time limit ends, and reports each in alphabetical order. Resolves to true
 * if all are ready.
 */
async function areReady({ cluster, components, timeout, say }: Health): Promise<boolean> {
  say('►', 'confirming components are healthy');
  const end = Date.now() + timeout;
  const states = () =>
    components.toSorted().map((each) => ({ each, state: stateOfComponent(cluster, each) }));
  while (states().some(({ state }) => state !== 'ready') && Date.now() < end) {
    await pause();
  }
  for (const { each, state } of states()) {
    say(state === 'ready' ? '✔' : '✗', `${each}: deployment ${state}`);
  }
  const isReady = states().every(({ state }) => state === 'ready');
  if (isReady) {
    say('✔', 'all components are healthy');
  }
  return isReady;
}

function stateOfComponent(cluster: Objects, component: string): string {
  const found = cluster.get('deployments.apps', namespace, component);
  if (found === undefined) {
    return 'not found';
  }
  return Object(found.status).availableReplicas > 0 ? 'ready' : 'not ready';
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, interval));
}
