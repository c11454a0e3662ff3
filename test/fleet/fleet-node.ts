import { nodePaths } from '../../src/agent/paths.ts';
import { issue, makeAuthority } from '../lab/standins/k3s-certificates.ts';
import { kubeconfig } from '../lab/standins/k3s-kubeconfig.ts';
import type { ApiObject, Objects } from '../lab/standins/k3s-objects.ts';
import { executable, K3sUnit } from './k3s-unit.ts';
import { Kubelet } from './kubelet.ts';
import { type CertificatePlan, Leaves } from './leaves.ts';
import { Machine, type Shared } from './machine.ts';
import { ServerPasswords, type SharedRows } from './passwords.ts';
import { Reboots } from './reboots.ts';

const paths = nodePaths('/');
const authority = makeAuthority('k3s-server-ca@1700000000');
/** All kubelets of a fleet present one certificate; the machine tells them apart. */
const [admin, kubelet] = (['admin', 'kubelet'] as const).map((commonName) =>
  issue(authority, { commonName, organization: commonName }),
);
const [adminText, kubeletText] = [admin, kubelet].map((each) =>
  each ? kubeconfig({ server: 'https://127.0.0.1:6443', ca: authority.certificate, ...each }) : '',
);

/** The certificate of the CA of the cluster. */
export const clusterCa = authority.certificate;

/** The certificate of the port of each server, which K3s renews while it runs. */
export const servingCertificate = issue(authority, { commonName: 'k3s' }).certificate;

/** True for the certificate of the admin, which only servers have. */
export function isAdmin(certificate: string | undefined): boolean {
  return certificate === admin?.certificate;
}

/**
 * The milliseconds of silence after which a node may be restarted without a turn. Slipway counts ten minutes from the
 * first request of its gate that gets no answer; other requests may be answered for a while after that.
 */
const silence = 480_000;

/** An interruption of a node's service by Slipway. `since` is a time of the simulation. */
export interface Interruption {
  readonly since: number;
  readonly by: 'a cordon' | 'a restart' | 'a reboot';
  /** The nonce of the turn in which the node is interrupted; `undefined` if it has begun no turn. */
  readonly turn: string | undefined;
  /** Why the node needs no turn: the API had been silent for `silence`, or lacked the Node, or a person released it. */
  readonly repairs: 'a silent API' | 'a missing Node' | 'a release by a person' | undefined;
}

/** The cluster that a node belongs to. */
export interface FleetCluster {
  readonly objects: Objects;
  readonly reaches: (node: FleetNode) => boolean;
  readonly hasEtcd: boolean;
  /** The bootstrap data that several servers share; absent if they keep their token. */
  readonly rows: SharedRows | undefined;
  readonly certificates: CertificatePlan;
  /** Returns the time of day by the clock of the server that issues certificates. */
  readonly issuerNow: () => number;
  /** True if a server lets a node join with this token. */
  readonly accepts: (node: FleetNode, token: string) => boolean;
}

/** A node of a fleet: a machine with K3s and its kubelet. */
export class FleetNode {
  readonly machine: Machine;
  readonly k3s: K3sUnit;
  readonly kubelet: Kubelet;
  readonly leaves: Leaves;
  /** The passwords of a server; absent on agents, and on several servers that keep their token. */
  readonly passwords: ServerPasswords | undefined;
  readonly role: 'server' | 'agent';
  readonly reboots: Reboots;
  /** The interruption that Slipway has caused and that is not over. */
  interruption: Interruption | undefined;
  /** The nonce of the turn that the node has begun and not ended, by its own last write. */
  turn: string | undefined;
  /** The release that the settings of the node name. */
  wishedVersion = '';
  /** True once a person has cordoned the node. */
  isCordonedByPerson = false;
  /** The time of the simulation at which the API last answered this node. */
  answeredAt = 0;
  /** True once the node was away for ten minutes, or went back, so that its turn may count as failed. */
  mayHaveFailed = false;
  /** The time of the simulation since which the node has not served. */
  awaySince: number | undefined;
  readonly #objects: Objects;

  constructor(shared: Shared, name: string, role: 'server' | 'agent', cluster: FleetCluster) {
    this.role = role;
    this.#objects = cluster.objects;
    this.machine = new Machine(shared, name);
    this.reboots = new Reboots(this.machine);
    const { certificates, issuerNow } = cluster;
    this.leaves = new Leaves({ ...certificates, machine: this.machine, role, authority, issuerNow });
    this.passwords =
      role === 'server' && (cluster.rows || !cluster.hasEtcd)
        ? new ServerPasswords(this.machine, clusterCa, cluster.rows)
        : undefined;
    const { leaves, passwords } = this;
    const admits = (token: string) => this.#admits(cluster, token);
    this.k3s = new K3sUnit(this.machine, role, { leaves, passwords, admits });
    const { machine, k3s } = this;
    const isReached = () => cluster.reaches(this);
    const { objects, hasEtcd } = cluster;
    this.kubelet = new Kubelet({ machine, k3s, objects, isReached, role, hasEtcd });
    k3s.onActive = () => this.kubelet.begin();
  }

  /** The node's object in the API. */
  get object(): ApiObject | undefined {
    return this.#objects.get('nodes', undefined, this.name);
  }

  get name(): string {
    return this.machine.name;
  }

  /** True if the node has joined the cluster. */
  get isJoined(): boolean {
    return this.machine.files.stat(paths.k3s.kubeletKubeconfig) !== undefined;
  }

  /** Puts the files of a node on the disk that has not joined the cluster. */
  prepare(version: string, config: string): void {
    const { files } = this.machine;
    files.write(paths.k3s.binary, executable(version), 0o755);
    files.write(paths.k3s.config, config, 0o600);
  }

  /** Puts the files of a joined node on the disk. */
  install(version: string, config: string, token: string): void {
    const { files } = this.machine;
    this.prepare(version, config);
    files.write(paths.slipway.joinToken, `${token}\n`, 0o600);
    this.#join();
    this.leaves.renew();
    if (this.role === 'server') {
      files.write(paths.k3s.serverToken, token, 0o600);
      files.write(paths.k3s.serverCa, clusterCa);
      files.write(paths.k3s.kubeconfig, adminText ?? '', 0o600);
    }
  }

  /** True if the node has joined, or joins now because a server accepts the token with which K3s was started. */
  #admits({ accepts }: FleetCluster, token: string): boolean {
    if (!this.isJoined && accepts(this, token)) {
      this.machine.note('joins the cluster');
      this.#join();
    }
    return this.isJoined;
  }

  #join(): void {
    const { files } = this.machine;
    files.write(paths.k3s.kubeletKubeconfig, kubeletText ?? '', 0o600);
    files.write(paths.k3s.agentServerCa, clusterCa);
  }

  /** Notes that Slipway interrupts the service of this node, unless it already does. */
  interrupt(by: Interruption['by']): void {
    const since = this.machine.shared.timeline.now;
    // A reboot never counts as a repair.
    const repairs = by === 'a reboot' ? undefined : this.#repairable(since);
    this.interruption ??= { since, by, turn: this.turn, repairs };
  }

  #repairable(now: number): Interruption['repairs'] {
    if (now - this.answeredAt >= silence) {
      return 'a silent API';
    }
    return this.object === undefined ? 'a missing Node' : undefined;
  }
}
