/** The health checks at the end of `flux bootstrap` (fluxcd/flux2 pkg/bootstrap, Report*Health; pkg/status). */
import type { Say } from './flux-model.ts';
import { namespace, sources, syncs } from './flux-objects.ts';
import { type FluxObject, generationOf, readyOf } from './flux-status.ts';
import type { Objects } from './k3s-objects.ts';

export interface Health {
  readonly cluster: Objects;
  readonly components: readonly string[];
  readonly revision: string;
  /** The time limit in milliseconds, once for both objects and once for the components. */
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

/** Milliseconds between two looks; flux waits 2 s and 5 s. */
const interval = 50;
const name = `${namespace}/${namespace}`;

/**
 * Waits until both objects are reconciled, and then until all components are ready. Throws flux's summary of the
 * failures after naming each of them, so that the exit code is 1 although all steps succeeded.
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

/** Returns the failure of an object, at once or at the end of the time; `undefined` once it is reconciled. */
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

/** Judges an object as objectReconciled does: only a verdict at the generation in its status counts. */
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

/** Waits for the components, and names each in alphabetical order; returns whether all are ready. */
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
