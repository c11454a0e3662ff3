import { readTurn } from '../../src/agent/parts/maintenance/index.ts';
import { FakeCloud } from '../lab/fake-cloud.ts';
import type { ApiObject } from '../lab/standins/k3s-objects.ts';
import { startControllers } from './controllers.ts';
import { Daemon, type MakePlan, type WrapHost } from './daemon.ts';
import { type FleetPlan, mayGiveUp, mostAtOnce } from './drawn.ts';
import { FleetApi } from './fleet-api.ts';
import { FleetNode } from './fleet-node.ts';
import { LedgerWatch } from './ledger-watch.ts';
import { annotationsOf, isCordoned, isCordonedByUs } from './node-object.ts';
import type { Random } from './random.ts';
import { Timeline } from './timeline.ts';
import { Trace } from './trace.ts';
import { brokenByBegin, TurnLog } from './turn-log.ts';
import { createWorkloads, type Workload } from './workloads.ts';

const second = 1_000;
const leases = 'leases.coordination.k8s.io';

export interface FleetOptions {
  readonly random: Random;
  readonly plan: FleetPlan;
  readonly servers: number;
  readonly agents: number;
  readonly makePlan: (fleet: Fleet) => MakePlan;
  readonly wrap?: WrapHost | undefined;
}

/** A cluster of nodes with their daemons, in one process and in simulated time. */
export class Fleet {
  readonly timeline = new Timeline();
  readonly trace = new Trace(this.timeline);
  readonly api = new FleetApi();
  readonly turns = new TurnLog();
  readonly ledger = new LedgerWatch(() => this.api.nodes);
  readonly random: Random;
  readonly daemons: readonly Daemon[];
  readonly plan: FleetPlan;
  readonly workloads: readonly Workload[];
  /** How many agents may be interrupted at once. */
  readonly concurrency: number;
  /** What all nodes shall run. */
  readonly wish = { config: 'settings: 1\n', version: 'v1.36.3+k3s1', token: 'first-token' };
  readonly vault = new FakeCloud({ secrets: { 'k3s-token': this.wish.token } });
  /** The digests of the tokens to which a person has consented. */
  consents: readonly string[] = [];
  /**
   * False if a person deleted a Node or wishes a bad release, or a drain may be given up: a node may then never get its
   * wish.
   */
  mustEnd: boolean;
  /** The promise that the last event has broken. */
  brokenPromise: string | undefined;
  #lastFault = 0;
  /** How often the wish has changed. */
  changes = 0;
  /** How often a person has let the nodes continue after a failure. */
  continues = 0;

  constructor({ random, plan, servers, agents, makePlan, wrap }: FleetOptions) {
    this.random = random;
    this.plan = plan;
    this.workloads = plan.workloads;
    this.mustEnd = !mayGiveUp(plan);
    this.concurrency = mostAtOnce(plan.maintenance, agents);
    const { objects } = this.api;
    const reaches = (node: FleetNode) => this.api.reach(node) === 'answers';
    const planOf = makePlan(this);
    const rows = plan.hasTokens && servers > 1 ? { text: undefined } : undefined;
    this.daemons = [...named('server', servers), ...named('agent', agents)].map(({ name, role }) => {
      const node = new FleetNode(this, name, role, {
        ...{ objects, reaches, hasEtcd: servers > 1, rows, certificates: plan.certificates },
        issuerNow: () => this.api.nodes[0]?.machine.now() ?? 0,
        accepts: (joining, token) => this.#accepts(joining, token),
      });
      return new Daemon(node, this.api, planOf, wrap);
    });
    this.api.nodes.push(...this.daemons.map(({ node }) => node));
    for (const daemon of this.daemons) {
      daemon.node.reboots.perform = () => this.losePower(daemon, random.between(10, 60));
    }
    this.api.onChange = ({ node, request }) => {
      this.#noteTurn(node);
      if (request.url.includes('/leases')) {
        this.brokenPromise ??= this.ledger.note(this.lease());
      }
    };
  }

  /** The milliseconds since the last fault. */
  get quietFor(): number {
    return this.timeline.now - this.#lastFault;
  }

  /** Lets something happen to the fleet later, which counts as a fault. */
  later(milliseconds: number, happen: () => void): void {
    this.timeline.after(milliseconds, () => {
      this.#lastFault = this.timeline.now;
      happen();
    });
  }

  begin(): void {
    for (const name of ['default', 'kube-system', 'kube-node-lease']) {
      const metadata = { name };
      this.api.objects.put('namespaces', undefined, { apiVersion: 'v1', kind: 'Namespace', metadata });
    }
    const { version, config, token } = this.wish;
    const { joinsAt } = this.plan;
    for (const daemon of this.daemons) {
      daemon.node.wishedVersion = version;
      if (joinsAt !== undefined && daemon === this.daemons.at(-1)) {
        daemon.node.prepare(version, config);
        this.later(joinsAt, () => this.#boot(daemon));
      } else {
        daemon.node.install(version, config, token);
        this.#boot(daemon);
      }
    }
    createWorkloads(this);
    startControllers(this);
  }

  losePower(daemon: Daemon, seconds: number): void {
    const { machine, k3s } = daemon.node;
    if (machine.isOff) {
      return;
    }
    daemon.end();
    k3s.stop();
    machine.switchOff();
    this.later(seconds * second, () => this.#boot(daemon));
  }

  #boot(daemon: Daemon): void {
    const { machine, k3s } = daemon.node;
    machine.switchOn();
    if (daemon.node.isJoined) {
      machine.after(2 * second, () => k3s.start());
    }
    machine.after(this.random.between(3, 20) * second, () => daemon.start());
  }

  /** Calls `happen` for the next node that is in its turn, if one is within a quarter of an hour. */
  inATurn(happen: (node: FleetNode) => void, looks = 180): void {
    const node = this.daemons.find((each) => each.node.turn !== undefined)?.node;
    if (node) {
      happen(node);
    } else if (looks > 0) {
      this.later(5 * second, () => this.inATurn(happen, looks - 1));
    }
  }

  cordonByPerson(node: FleetNode): void {
    if (node.object && !isCordoned(node.object)) {
      node.isCordonedByPerson = true;
      node.machine.note('a person cordons the node');
      this.api.patchByPerson(`/api/v1/nodes/${node.name}`, { spec: { unschedulable: true } });
    }
  }

  lease(): ApiObject | undefined {
    return this.api.objects.get(leases, 'kube-system', 'slipway-turns');
  }

  restoreLease(before: ApiObject | undefined): void {
    if (before && this.lease()) {
      this.trace.note('a person', 'restores an older Lease');
      this.ledger.isRestored = true;
      this.api.objects.put(leases, 'kube-system', before);
    }
  }

  #accepts({ machine }: FleetNode, token: string): boolean {
    const [server] = this.api.servers();
    return !machine.isCutOff && server?.passwords?.accepts(token) === true;
  }

  /** Reads what the API knows of a node after a change by that node. */
  #noteTurn(node: FleetNode): void {
    const { object } = node;
    if (object === undefined) {
      return;
    }
    const { state, request } = readTurn(annotationsOf(object));
    node.turn = state?.state === 'begun' ? state.nonce : undefined;
    const begins = this.turns.note(node, { state, isUrgent: request?.urgent === true }, this.timeline.now);
    this.brokenPromise ??= begins && (brokenByBegin(this.turns, begins) ?? this.ledger.brokenByBegin(begins));
    if (isCordonedByUs(object)) {
      node.interrupt('a cordon');
    }
  }
}

function named(role: 'server' | 'agent', count: number) {
  return Array.from({ length: count }, (_, index) => ({ role, name: `${role}-${index + 1}` }));
}
