import { NodeError } from '../../src/agent/engine/errors.ts';
import type { HttpResponse, HttpSend } from '../../src/agent/engine/host.ts';
import { reveal } from '../../src/agent/engine/secret.ts';
import type { User } from '../lab/standins/k3s-admission.ts';
import { answerApi } from '../lab/standins/k3s-api.ts';
import { settlePods } from '../lab/standins/k3s-pods.ts';
import { type FleetNode, isAdmin } from './fleet-node.ts';
import { type FleetObjects, fleetObjects, heartbeats } from './fleet-objects.ts';
import { trueTime } from './machine.ts';
import type { Random } from './random.ts';
import { answerSupervisor, supervisor } from './supervisor.ts';

const second = 1_000;
const admin = { name: 'system:admin', groups: ['system:masters'] };

/** The effect of a change through the API, for the promises that watch it. */
export interface ApiChange {
  readonly node: FleetNode;
  readonly request: HttpSend;
  readonly status: number;
}

/**
 * The API of a fleet: one store of objects, for which the stand-in answers with the rights of each user. A request
 * takes time, its answer too, and now and then so much that the caller has given up before the API applies the request.
 */
export class FleetApi {
  readonly objects: FleetObjects = fleetObjects();
  readonly nodes: FleetNode[] = [];
  /** How the API fails for everybody: it hangs, or nothing listens. */
  fault: 'hangs' | 'refuses' | undefined;
  onChange: (change: ApiChange) => void = () => {};
  /** Rewrites the body of a change before the API reads it; `live` is the version that the object has. */
  rewrite: ((pathname: string, body: string, live: string | undefined) => string) | undefined;
  /** The last answer to each question of a user, with the revision of the objects for which it is right. */
  readonly #known = new Map<string, { readonly revision: number; readonly response: HttpResponse }>();

  /** Acts as the part of kubelet that ends pods, and as the disruption controller. */
  settlePods(now: number): void {
    settlePods(this.objects, now);
  }

  /** Changes an object as a person does with kubectl. Returns the status of the answer. */
  patchByPerson(pathname: string, patch: object): number {
    const query = new URLSearchParams({ fieldManager: 'kubectl-cordon' });
    const contentType = 'application/merge-patch+json';
    const body = JSON.stringify(patch);
    const asked = { method: 'PATCH', pathname, query, accept: '*/*', contentType, body };
    return answerApi({ version: '', objects: this.objects, apiReady: true }, asked, admin).status;
  }

  /** The servers whose API answers other machines. */
  servers(): readonly FleetNode[] {
    return this.nodes.filter(
      ({ role, k3s, machine }) =>
        role === 'server' && k3s.state === 'active' && !machine.isCutOff && !machine.isSuspended,
    );
  }

  /** Says how the API would take a request of this node now. */
  reach(node: FleetNode): 'answers' | 'hangs' | 'refuses' {
    if (node.k3s.state !== 'active' || node.machine.isOff) {
      return 'refuses';
    }
    if (this.fault !== undefined) {
      return this.fault;
    }
    const isAlone = this.nodes.filter(({ role }) => role === 'server').length === 1;
    if (node.machine.isCutOff) {
      return node.role === 'server' && isAlone ? 'answers' : 'hangs';
    }
    if (node.role === 'server' || this.servers().length > 0) {
      return 'answers';
    }
    return this.nodes.some(({ role, machine }) => role === 'server' && !machine.isOff) ? 'refuses' : 'hangs';
  }

  #way(node: FleetNode, { url }: HttpSend): 'answers' | 'hangs' | 'refuses' {
    return url.startsWith(supervisor) ? this.#reachSupervisor(node) : this.reach(node);
  }

  /** Says how a server would take a request of this node to its own port. */
  #reachSupervisor({ machine }: FleetNode): 'answers' | 'hangs' | 'refuses' {
    if (this.fault !== undefined || machine.isCutOff) {
      return this.fault ?? 'hangs';
    }
    return this.servers().length > 0 ? 'answers' : 'refuses';
  }

  /** Sends a request of a process on a node, which throws as a real one does. */
  send(node: FleetNode, request: HttpSend): Promise<HttpResponse> {
    const { machine } = node;
    const { timeline, random } = machine.shared;
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    const ended = (settle: () => void) => () => {
      stopClock();
      timeline.isAwake = true;
      settle();
    };
    const stopClock = machine.after(
      request.timeout ?? 10 * second,
      ended(() => reject(timedOut(request))),
    );
    timeline.after(latency(random), () => {
      const way = this.#way(node, request);
      if (way === 'refuses') {
        machine.atOnce(ended(() => reject(new NodeError('Unreachable', 'connect ECONNREFUSED'))));
      }
      if (way !== 'answers') {
        return;
      }
      const special = answerSupervisor(this.servers(), node, request);
      if (special === 'killed') {
        node.k3s.crash();
        machine.atOnce(ended(() => reject(new NodeError('Unreachable', 'read ECONNRESET'))));
        return;
      }
      const isRead = request.method === 'GET';
      const response = special ?? (isRead ? this.#read(node, request) : this.#answer(node, request));
      const deliver = () => {
        if (this.#way(node, request) !== 'hangs') {
          node.answeredAt = timeline.now;
          ended(() => resolve(response))();
        }
      };
      // Nothing can happen between the answer to a read and its arrival that could not also happen after it.
      if (request.method === 'GET') {
        machine.atOnce(deliver);
      } else {
        machine.after(latency(random), deliver);
      }
    });
    return promise;
  }

  /** Answers a GET request. While the answer does not change, returns the same object, which is then read only once. */
  #read(node: FleetNode, request: HttpSend): HttpResponse {
    const { url, headers = {} } = request;
    const revision = this.objects.revision();
    const question = `${userOf(node, request).name} ${reveal(headers.accept ?? '*/*')} ${url}`;
    const known = this.#known.get(question);
    if (known?.revision === revision) {
      return known.response;
    }
    const answer = this.#answer(node, request);
    const response = known && isSameAnswer(known.response, answer) ? known.response : answer;
    if (url.includes('/api') && !url.includes(heartbeats)) {
      this.#known.set(question, { revision, response });
    }
    return response;
  }

  #answer(node: FleetNode, request: HttpSend): HttpResponse {
    const { pathname, searchParams: query } = new URL(request.url);
    const { method, headers = {}, body = '' } = request;
    const user = userOf(node, request);
    const accept = reveal(headers.accept ?? '*/*');
    const contentType = reveal(headers['content-type'] ?? '');
    const version = this.servers()[0]?.k3s.startedWith.version ?? node.k3s.startedWith.version;
    const api = {
      version,
      objects: this.objects,
      apiReady: true,
      now: () => trueTime(node.machine.shared.timeline),
    };
    const asked = { method, pathname, query, accept, contentType, body: reveal(body) };
    if (this.rewrite && ['PUT', 'PATCH'].includes(method)) {
      const live = answerApi(api, { ...asked, method: 'GET', query: new URLSearchParams() }, user).body;
      asked.body = this.rewrite(pathname, asked.body, JSON.parse(live).metadata?.resourceVersion);
    }
    const reply = answerApi(api, asked, user);
    if (method !== 'GET') {
      node.machine.note(`${method} ${pathname} ${shortened(asked.body)} -> ${reply.status}`);
      this.onChange({ node, request, status: reply.status });
    }
    return { status: reply.status, headers: {}, body: reply.body };
  }
}

function isSameAnswer(one: HttpResponse, other: HttpResponse): boolean {
  return one.status === other.status && one.body === other.body;
}

/** Returns the user whose certificate a request presents. */
function userOf({ name }: FleetNode, { trust }: HttpSend): User {
  const certificate = typeof trust === 'object' ? trust.identity?.certificate : undefined;
  return isAdmin(certificate) ? admin : { name: `system:node:${name}`, groups: ['system:nodes'] };
}

function shortened(text: string): string {
  return text.length > 260 ? `${text.slice(0, 260)}...` : text;
}

function timedOut({ url, timeout = 10 * second }: HttpSend): NodeError {
  return new NodeError('TimedOut', `${new URL(url).origin} did not answer within ${timeout / second} s.`);
}

/** Returns the milliseconds that a request, or its answer, takes to arrive. */
function latency(random: Random): number {
  const luck = random.next();
  if (luck < 0.93) {
    return random.between(2, 40);
  }
  return luck < 0.99 ? random.between(100, 2_500) : random.between(3_000, 14_000);
}
