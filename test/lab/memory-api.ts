import { NodeError } from '../../src/agent/engine/errors.ts';
import type { HttpResponse } from '../../src/agent/engine/host.ts';
import { reveal } from '../../src/agent/engine/secret.ts';
import type { MemoryHost } from './memory-host.ts';
import { type MemoryObjects, memoryObjects } from './memory-objects.ts';
import { runArgocd } from './standins/argocd.ts';
import type { GitHost } from './standins/argocd-git.ts';
import type { User } from './standins/k3s-admission.ts';
import { answerApi } from './standins/k3s-api.ts';
import { reconcileCharts } from './standins/k3s-helm.ts';
import { type Chart, type HelmRun, runHelm } from './standins/k3s-helm-run.ts';
import type { Objects } from './standins/k3s-objects.ts';
import { settlePods } from './standins/k3s-pods.ts';
import { type Reply, unauthorized } from './standins/k3s-reply.ts';
import type { RestRequest } from './standins/k3s-rest.ts';

/** The folder of the MemoryHost that contains the API's objects. */
const objects = '/cluster/objects';

export interface MemoryApi {
  readonly objects: MemoryObjects;
  /** Returns true if the API answers. If it returns false, the API refuses connections, as before K3s has started. */
  isUp: () => boolean;
  /**
   * The function that runs helm in the jobs of HelmCharts. The HelmChart controller acts before a request if time has
   * passed since the last change through the API. If `undefined`, the controller never acts.
   */
  helm: ((chart: Chart) => HelmRun) | undefined;
  /** The Git host that Argo CD fetches from once Argo CD's chart is deployed. If `undefined`, Argo CD does nothing. */
  git: GitHost | undefined;
  /** Another program of the cluster, which acts before each request. */
  other: ((objects: Objects) => void) | undefined;
}

/**
 * Answers a MemoryHost's requests to `server` with the API stand-in. `users` maps the PEM of each client certificate to
 * its user. A request with another certificate, or without a certificate, gets a 401.
 */
export function serveMemoryApi(
  host: MemoryHost,
  server: string,
  users: Readonly<Record<string, User>>,
): MemoryApi {
  const api: MemoryApi = {
    objects: memoryObjects(host.files, objects),
    isUp: () => true,
    helm: runHelm,
    git: undefined,
    other: undefined,
  };
  const served = { version: 'v1.36.3+k3s1', apiReady: true };
  const known = knownAnswers(api.objects);
  let changedAt = host.now();
  /** The time and the revision of the objects at which the controllers had nothing more to do. */
  let settled = { at: changedAt, revision: -1 };
  host.onRequest({ url: (url) => url.startsWith(`${server}/`) }, (request) => {
    if (!api.isUp()) {
      return refusedConnection();
    }
    api.other?.(api.objects);
    const now = host.now();
    if (now > changedAt && (now > settled.at || api.objects.revision() !== settled.revision)) {
      settle(api, now);
      settled = { at: now, revision: api.objects.revision() };
    }
    const { pathname, searchParams: query } = new URL(request.url);
    const { trust, method, headers = {}, body = '' } = request;
    changedAt = method === 'GET' ? changedAt : now;
    const certificate = typeof trust === 'object' ? trust.identity?.certificate : undefined;
    const user = users[certificate ?? ''];
    const accept = reveal(headers.accept ?? '*/*');
    const contentType = reveal(headers['content-type'] ?? '');
    const asked = { method, pathname, query, accept, contentType, body: reveal(body) };
    return user === undefined
      ? unauthorized
      : known(asked, user, () => answerApi({ ...served, objects: api.objects, now: () => now }, asked, user));
  });
  return api;
}

/**
 * Returns a function that answers a request with `answer`. Answers a GET request again with the same object while the
 * answer does not change, because its caller reads the same object only once. Calls `answer` again only after an object
 * of the API has changed.
 */
function knownAnswers({ revision }: MemoryObjects) {
  const answers = new Map<string, { readonly at: number; readonly response: HttpResponse }>();
  return ({ method, pathname, query, accept }: RestRequest, { name }: User, answer: () => Reply) => {
    if (method !== 'GET') {
      return answer();
    }
    const question = `${name} ${accept} ${pathname}?${query}`;
    const known = answers.get(question);
    const at = revision();
    if (known?.at === at) {
      return known.response;
    }
    const next: HttpResponse = { headers: {}, ...answer() };
    const isSame = known?.response.status === next.status && known.response.body === next.body;
    const response = isSame ? known.response : next;
    answers.set(question, { at, response });
    return response;
  };
}

/**
 * Runs kubelet and the disruption controller once, the HelmChart controller until a step changes nothing (at most 20
 * steps), and then one round of Argo CD.
 */
function settle({ objects, helm, git }: MemoryApi, time: number): void {
  settlePods(objects, time);
  const now = new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
  for (let step = 0; step < 20 && helm && reconcileCharts({ objects, helm, now }); step += 1) {}
  if (git) {
    runArgocd(objects, git, now);
  }
}

function refusedConnection(): Error {
  return new NodeError('Unreachable', 'connect ECONNREFUSED');
}
