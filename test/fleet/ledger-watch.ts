import { turnKeys } from '../../src/agent/parts/maintenance/index.ts';
import {
  emptyLedger,
  type Ledger,
  ledgerKey,
  readLedger,
} from '../../src/agent/parts/maintenance/turn/ledger.ts';
import type { ApiObject } from '../lab/standins/k3s-objects.ts';
import type { FleetNode } from './fleet-node.ts';
import { annotationsOf } from './node-object.ts';
import type { LoggedTurn } from './turn-log.ts';

/** Watches the ledger in the Lease: what is in it must agree with what happens on the nodes. */
export class LedgerWatch {
  /** True once an older Lease was restored: the ledger may then lack turns for a while. */
  isRestored = false;
  #ledger: Ledger = emptyLedger;
  /** The nodes that the API had when the ledger first had a turn, by the nonce of the turn. */
  readonly #known = new Map<string, readonly FleetNode[]>();
  readonly #nodes: () => readonly FleetNode[];

  constructor(nodes: () => readonly FleetNode[]) {
    this.#nodes = nodes;
  }

  /** Reads the Lease after a change. Returns the promise that the change breaks. */
  note(lease: ApiObject | undefined): string | undefined {
    const before = this.#ledger;
    const text = lease && annotationsOf(lease)[ledgerKey];
    this.#ledger = (text && readLedger(text)) || emptyLedger;
    for (const { nonce } of this.#ledger.slots) {
      if (!this.#known.has(nonce)) {
        this.#known.set(
          nonce,
          this.#nodes().filter(({ object }) => object),
        );
      }
    }
    return this.#freedTooEarly(before) ?? this.#failedWithoutCause(before);
  }

  /** True unless the API had no Node of this name when a server granted the turn and could not see the node. */
  wasKnown(node: FleetNode, turn: string | undefined): boolean {
    return this.#known.get(turn ?? '')?.includes(node) ?? true;
  }

  /** Returns the promise that a turn breaks by beginning although the ledger lacks it. */
  brokenByBegin({ node, nonce }: LoggedTurn): string | undefined {
    const isKnown = this.isRestored || this.#ledger.slots.some((slot) => slot.nonce === nonce);
    return isKnown ? undefined : `${node.name} begins a turn that the ledger does not have`;
  }

  /** Finds a turn that the ledger no longer has although its node is still in it. */
  #freedTooEarly({ slots }: Ledger): string | undefined {
    const gone = slots.filter(({ nonce }) => !this.#ledger.slots.some((slot) => slot.nonce === nonce));
    const early = gone.find(({ node, nonce }) => isBegun(this.#node(node)?.object, nonce));
    return this.isRestored
      ? undefined
      : early && `the ledger frees ${early.node}, which is still in its turn`;
  }

  /** Finds a node that counts as failed although it neither went back nor was away for ten minutes. */
  #failedWithoutCause({ failures }: Ledger): string | undefined {
    const added = this.#ledger.failures.filter(({ nonce }) => !failures.some((each) => each.nonce === nonce));
    const wrong = added.find(({ node }) => this.#node(node)?.mayHaveFailed === false);
    return wrong && `${wrong.node} counts as failed: ${wrong.why}`;
  }

  #node(name: string): FleetNode | undefined {
    return this.#nodes().find((node) => node.name === name);
  }
}

function isBegun(node: ApiObject | undefined, nonce: string): boolean {
  const annotations = node && annotationsOf(node);
  const state = JSON.parse(annotations?.[turnKeys.state] ?? '{}');
  const grant = JSON.parse(annotations?.[turnKeys.grant] ?? '{}');
  return state.nonce === nonce && state.state === 'begun' && grant.withdrawn !== nonce;
}
