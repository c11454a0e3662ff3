import { generateKeyPairSync } from 'node:crypto';
import { nodePaths } from '../../src/agent/paths.ts';
import { type Certificate, issue } from '../lab/standins/k3s-certificates.ts';
import { leafValidity } from '../lab/standins/k3s-leaves.ts';
import type { Machine } from './machine.ts';

const { data } = nodePaths('/').k3s;
const day = 86_400_000;
/** The same key pair for all leaf certificates, to save time. */
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
/** How long before its end K3s renews a leaf certificate of a server when it starts (CertificateRenewDays). */
const window = 120 * day;

/** The lives of the leaf certificates of a fleet. */
export interface CertificatePlan {
  /** The life of a new leaf certificate in days. */
  readonly days: number;
  /** True if one agent keeps its certificates at each start, as if K3s could not write them. */
  readonly isOneStuck: boolean;
}

/** Returns after how many days a new leaf is due and this share of the time from then to its end is over. */
export function daysUntilDue({ days }: CertificatePlan, share: number): number {
  const left = Math.min(window / day, days / 3);
  return days - left * (1 - share);
}

export interface LeafOptions extends CertificatePlan {
  readonly machine: Machine;
  readonly role: 'server' | 'agent';
  readonly authority: Certificate;
  /** Returns the time of day by the clock of the server that issues the certificates of agents. */
  readonly issuerNow: () => number;
}

interface Leaf {
  readonly from: number;
  readonly ends: number;
}

/**
 * The leaf certificates of a node: one of a server, which a start of K3s renews within the window, and that of kubelet,
 * which the server issues at each start. A real node has more of both kinds (test/lab/standins/k3s-leaves.ts).
 */
export class Leaves {
  readonly #options: LeafOptions;
  readonly #leaves = new Map<string, Leaf>();

  constructor(options: LeafOptions) {
    this.#options = options;
  }

  /** The ends of the leaf certificates by name, as the stamp of a start records them. */
  get ends(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#leaves].map(([name, { ends }]) => [name, ends]));
  }

  /** True if this node keeps its certificates at each start. */
  get isStuck(): boolean {
    return this.#options.isOneStuck && this.#options.machine.name === 'agent-1';
  }

  /** True if a certificate has ended at this true time. */
  hasEnded(now: number): boolean {
    return [...this.#leaves.values()].some(({ ends }) => ends <= now);
  }

  /** True if a certificate is due for renewal at this true time: with a third of its life left, or in the window. */
  isDue(now: number): boolean {
    return [...this.#leaves.values()].some(
      ({ from, ends }) => ends - now <= Math.min(window, (ends - from) / 3),
    );
  }

  /** Renews the certificates as a start of K3s does. */
  renew(): void {
    const { machine, role, issuerNow } = this.#options;
    if (role === 'server') {
      const name = 'server/tls/client-admin.crt';
      const known = this.#leaves.get(name);
      if (known === undefined || known.ends - machine.now() <= window) {
        this.#write(name, machine.now());
      }
    }
    if (!this.isStuck || this.#leaves.size === 0) {
      this.#write('agent/client-kubelet.crt', issuerNow());
    }
  }

  #write(name: string, now: number): void {
    const { machine, days, authority } = this.#options;
    const validity = leafValidity(authority, now, days);
    const { certificate } = issue(authority, { commonName: name, validity }, pair);
    machine.files.write(`${data}/${name}`, certificate);
    // The certificate has whole seconds.
    const ends = Math.floor(validity.ends / 1_000) * 1_000;
    this.#leaves.set(name, { from: validity.from, ends });
  }
}
