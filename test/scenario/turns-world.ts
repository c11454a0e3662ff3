import type { HttpSend } from '../../src/agent/engine/host.ts';
import { type Attempts, reconcile } from '../../src/agent/engine/reconcile.ts';
import type { Outcome, Resource } from '../../src/agent/engine/resource.ts';
import type { K3sNode } from '../../src/agent/node.ts';
import type { TurnState } from '../../src/agent/parts/maintenance/index.ts';
import { readTurn, turnKeys, turnMemory, turns } from '../../src/agent/parts/maintenance/index.ts';
import type { MemoryApi } from '../lab/memory-api.ts';
import { type MemoryHost, memoryHost, unreachable } from '../lab/memory-host.ts';
import { apiServer, serveCluster, writeKubeconfigs } from '../unit/agent/a-cluster.ts';
import { aNode } from '../unit/agent/a-node.ts';

/** A server that grants turns, with its own clocks and its own connection to the API. */
export interface Holder {
  readonly host: MemoryHost;
  /** Changes a request to the API. `undefined` makes the API unreachable; an Error is the answer to the request. */
  through: (request: HttpSend) => HttpSend | Error | undefined;
  pass(): Promise<Outcome>;
  /** Starts a new process, which lacks the former one's memory. */
  restart(): void;
}

/** Makes the Resources of a new process on a server. */
export type HolderPlan = (node: K3sNode) => readonly Resource[];

function granting(node: K3sNode): readonly Resource[] {
  return [turns(node, turnMemory())];
}

/** A cluster whose API lives on a machine of its own. */
export interface TurnsWorld {
  readonly api: MemoryApi;
  /** Returns a server; `plan` returns the Resources that a process of this server checks in each pass. */
  holder(name: string, settings?: object, plan?: HolderPlan): Holder;
  /** Adds or replaces a Node. A name that begins with `server` is a server's. */
  node(name: string, fields?: NodeFields): void;
  /** Makes a node ask for a turn. */
  ask(name: string, fields?: object): void;
  /** Makes a node begin the turn that was granted to it. Returns false if none was. */
  begin(name: string): boolean;
  end(name: string, state?: TurnState['state']): void;
  turnOf(name: string): ReturnType<typeof readTurn>;
  ledger(): { readonly slots: readonly { readonly node: string }[] };
}

export interface NodeFields {
  readonly ready?: 'True' | 'False' | 'Unknown';
  readonly version?: string;
  /** The cloud's id of the VM, as the node shows it. */
  readonly vmId?: string;
}

const lease = ['leases.coordination.k8s.io', 'kube-system', 'slipway-turns'] as const;

export function turnsWorld(): TurnsWorld {
  const machine = memoryHost();
  const api = serveCluster(machine);
  const nodeOf = (name: string) => api.objects.get('nodes', undefined, name);
  const annotationsOf = (name: string): Record<string, string> => Object(nodeOf(name)?.metadata.annotations);
  const annotate = (name: string, added: Record<string, string | undefined>) => {
    const before = nodeOf(name);
    if (before === undefined) {
      throw new Error(`no Node ${name}`);
    }
    const annotations = JSON.parse(JSON.stringify({ ...annotationsOf(name), ...added }));
    api.objects.put('nodes', undefined, { ...before, metadata: { ...before.metadata, annotations } });
  };
  return {
    api,
    holder: (name, settings, plan = granting) => aHolder(name, machine, { settings, plan }),
    node(name, { ready = 'True', version = 'v1.36.3+k3s1', vmId } = {}) {
      const labels = name.startsWith('server') ? { 'node-role.kubernetes.io/control-plane': 'true' } : {};
      const annotations = { ...annotationsOf(name), ...(vmId && { 'slipway.dev/vm-id': vmId }) };
      const metadata = { ...nodeOf(name)?.metadata, name, labels, annotations };
      const status = {
        conditions: [{ type: 'Ready', status: ready }],
        nodeInfo: { kubeletVersion: version },
      };
      api.objects.put('nodes', undefined, { apiVersion: 'v1', kind: 'Node', metadata, status });
    },
    ask(name, fields) {
      const request = {
        ...{ wish: 'restart config', kind: 'restart', digest: '3f2a9c1b2d4e', boot: '0123abcd' },
        ...{ drain: false, server: name.startsWith('server'), routes: false },
        ...fields,
      };
      annotate(name, { [turnKeys.request]: JSON.stringify(request) });
    },
    begin(name) {
      const { grant, request } = readTurn(annotationsOf(name));
      if (grant === undefined || request === undefined) {
        return false;
      }
      const { nonce, digest } = grant;
      const state = { nonce, digest, wish: request.wish, state: 'begun', message: '' } satisfies TurnState;
      annotate(name, { [turnKeys.state]: JSON.stringify(state) });
      return true;
    },
    end(name, state = 'done') {
      const begun = readTurn(annotationsOf(name)).state;
      const isAskedAgain = state === 'gaveUp';
      annotate(name, {
        [turnKeys.state]: JSON.stringify({ ...begun, state }),
        ...(!isAskedAgain && { [turnKeys.request]: undefined }),
      });
    },
    turnOf: (name) => readTurn(annotationsOf(name)),
    ledger: () =>
      JSON.parse(
        Object(api.objects.get(...lease)?.metadata.annotations)['slipway.dev/ledger'] ?? '{"slots":[]}',
      ),
  };
}

function aHolder(
  name: string,
  machine: MemoryHost,
  { settings = {}, plan }: { readonly settings?: object | undefined; readonly plan: HolderPlan },
): Holder {
  const host = memoryHost();
  writeKubeconfigs(host);
  const node = { ...aNode('server', { settings: { maintenance: settings } }), name };
  let resources = plan(node);
  let attempts: Attempts = new Map();
  const holder: Holder = {
    host,
    through: (request) => request,
    async pass() {
      const [outcome] = await reconcile(resources, { host, attempts, random: 0.5 });
      if (outcome === undefined) {
        throw new Error('no outcome');
      }
      return outcome;
    },
    restart() {
      resources = plan(node);
      attempts = new Map();
      host.restart();
    },
  };
  host.onRequest({ url: (url) => url.startsWith(`${apiServer}/`) }, async (request) => {
    const sent = holder.through(request);
    if (sent === undefined) {
      return unreachable(request.url);
    }
    if (sent instanceof Error) {
      return sent;
    }
    return sent.method === 'GET' ? machine.get(sent) : machine.send(sent);
  });
  return holder;
}
