import type { ApiObject, Objects } from '../lab/standins/k3s-objects.ts';
import { heartbeats } from './fleet-objects.ts';
import type { K3sUnit } from './k3s-unit.ts';
import type { Machine } from './machine.ts';
import { readyOf } from './node-object.ts';

const second = 1_000;
/** Kubelet renews its Lease every 10 s, and an unchanged Node every 5 min (nodeStatusReportFrequency). */
const leaseEvery = 10 * second;
const statusEvery = 300 * second;

/** What a kubelet needs to know of its machine and of the way to the API. */
export interface KubeletSurroundings {
  readonly machine: Machine;
  readonly k3s: K3sUnit;
  readonly objects: Objects;
  readonly isReached: () => boolean;
  readonly role: 'server' | 'agent';
  /** True if the servers are members of etcd. */
  readonly hasEtcd: boolean;
}

/**
 * The kubelet in K3s, as far as the API shows it: it registers its Node at a start, reports Ready a second or more
 * after K3s is active, and dates its reports by the clock of its machine. It does not register again a Node that is
 * deleted while it runs.
 */
export class Kubelet {
  /** The time of the simulation at which the API last heard from this kubelet. */
  lastSeen = Number.NEGATIVE_INFINITY;
  /** The start of K3s from which the API has heard. */
  reportedStart = 0;
  readonly #around: KubeletSurroundings;
  #statusAt = Number.NEGATIVE_INFINITY;

  constructor(around: KubeletSurroundings) {
    this.#around = around;
  }

  /** Begins to report; K3s has just become active. */
  begin(): void {
    const { machine, k3s } = this.#around;
    const { starts } = k3s;
    machine.after(machine.shared.random.between(1, 3) * second, () => this.#tick(starts));
  }

  #tick(starts: number): void {
    const { machine, k3s, isReached } = this.#around;
    if (k3s.starts !== starts || k3s.state !== 'active') {
      return;
    }
    if (isReached()) {
      this.#report(starts);
    }
    machine.after(leaseEvery, () => this.#tick(starts));
  }

  #report(starts: number): void {
    const { machine, objects } = this.#around;
    const isFirst = this.reportedStart !== starts;
    const found = objects.get('nodes', undefined, machine.name) ?? (isFirst ? this.#register() : undefined);
    if (found === undefined) {
      return;
    }
    const now = machine.shared.timeline.now;
    this.lastSeen = now;
    this.#renewLease();
    if (isFirst || readyOf(found) !== 'True' || machine.uptime() - this.#statusAt >= statusEvery) {
      this.reportedStart = starts;
      this.#statusAt = machine.uptime();
      objects.put('nodes', undefined, { ...found, status: this.#status() });
    }
  }

  #register(): ApiObject {
    const { machine, objects, role } = this.#around;
    machine.note('kubelet registers its Node');
    // The label is set by the server in K3s, right after the registration.
    const labels = role === 'server' ? { 'node-role.kubernetes.io/control-plane': 'true' } : {};
    const metadata = { name: machine.name, labels };
    return objects.put('nodes', undefined, { apiVersion: 'v1', kind: 'Node', metadata, spec: {} });
  }

  #renewLease(): void {
    const { machine, objects } = this.#around;
    const renewTime = new Date(machine.now()).toISOString().replace('Z', '000Z');
    objects.put('leases.coordination.k8s.io', heartbeats, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: machine.name, namespace: heartbeats },
      spec: { holderIdentity: machine.name, renewTime },
    });
  }

  #status() {
    const { machine, k3s, role, hasEtcd } = this.#around;
    const lastHeartbeatTime = new Date(machine.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    return {
      conditions: [
        { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime },
        ...(role === 'server' && hasEtcd ? [{ type: 'EtcdIsVoter', status: 'True' }] : []),
      ],
      nodeInfo: { kubeletVersion: k3s.startedWith.version },
    };
  }
}
