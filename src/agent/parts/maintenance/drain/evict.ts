import * as z from 'zod/mini';
import { soonAfter } from '../../../engine/backoff.ts';
import type { Host, HttpResponse } from '../../../engine/host.ts';
import { parseJson } from '../../../engine/json.ts';
import { printableLine } from '../../../engine/printable.ts';
import { sendApi } from '../../../kubernetes/api.ts';
import type { ApiAccess } from '../../../kubernetes/kubeconfig.ts';
import { objectPath } from '../../../kubernetes/object-path.ts';
import { apiRefusal } from '../../../kubernetes/refusal.ts';
import { type ApiPod, nameOf, podKind } from './pods.ts';

/** Why the API does not evict a pod now. */
export interface Refusal {
  /** The cause in the words of the API, as a sentence. */
  readonly says: string;
  /** Seconds until it is worth asking again; absent if asking again cannot help. */
  readonly after?: number;
}

/** The seconds between two attempts to evict a pod, as in `kubectl drain`. */
export const pause = 5;
/** The longest such pause that an answer can ask for. */
const longestPause = 60;

/**
 * Asks the API to evict a pod, which respects disruption budgets and the pod's grace period (policy/v1, Eviction;
 * kubernetes/pkg/registry/core/pod/storage/eviction.go). Returns the refusal, or `undefined` if the pod is ending, is
 * gone, or was replaced by a pod with the same name. `grace` limits the grace period, in seconds. Throws
 * `ApiUnavailable` if the API does not answer, and `ApiForbidden` if it does not accept the certificate of this node.
 */
export async function evict(
  host: Host,
  access: ApiAccess,
  pod: ApiPod,
  grace?: number,
): Promise<Refusal | undefined> {
  const { name, namespace, uid } = pod.metadata;
  const eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
    deleteOptions: {
      preconditions: { uid },
      ...(grace !== undefined && {
        gracePeriodSeconds: Math.min(pod.spec?.terminationGracePeriodSeconds ?? grace, grace),
      }),
    },
  };
  const path = `${pathOf(pod)}/eviction`;
  const response = await sendApi(host, access, { method: 'POST', path, body: JSON.stringify(eviction) });
  return refusalIn(response, `evict the pod ${nameOf(pod)}`, host.now());
}

/** Deletes a pod despite its disruption budgets, with its grace period. Returns and throws as `evict` does. */
export async function remove(host: Host, access: ApiAccess, pod: ApiPod): Promise<Refusal | undefined> {
  const { uid } = pod.metadata;
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
  const request = { method: 'DELETE', path: pathOf(pod), body: JSON.stringify(options) } as const;
  return refusalIn(await sendApi(host, access, request), `delete the pod ${nameOf(pod)}`, host.now());
}

function pathOf({ metadata: { namespace, name } }: ApiPod): string {
  return objectPath({ ...podKind, namespace, name });
}

/**
 * Returns the refusal in an answer. A 404 means that the pod is gone, and a 409 that it is another one by now; the
 * caller reads the pods again after both. A pod with two budgets can never be evicted (500), so the refusal is final.
 */
function refusalIn(response: HttpResponse, what: string, now: number): Refusal | undefined {
  const { status: code } = response;
  if ((code >= 200 && code < 300) || code === 404 || code === 409) {
    return undefined;
  }
  if (code === 401) {
    throw apiRefusal(response, what, now);
  }
  const { message, details } = parseJson(status, response.body) ?? {};
  const causes = (details?.causes ?? []).flatMap(({ message: said }) => said ?? []);
  const said = printableLine(causes.join(' ') || message || `The API answers ${code}.`);
  const says = said.slice(0, longestQuote).replace(/\.?$/, '.');
  if (code === 500 && message?.includes('more than one PodDisruptionBudget')) {
    return { says };
  }
  const { after = 0 } = soonAfter(response, now);
  return { says, after: Math.min(Math.max(after / 1_000, pause), longestPause) };
}

const longestQuote = 300;

/** The part of a Status that explains a failure (k8s.io/apimachinery, meta/v1). */
const status = z.object({
  message: z.nullish(z.string()),
  details: z.nullish(z.object({ causes: z.nullish(z.array(z.object({ message: z.nullish(z.string()) }))) })),
});
