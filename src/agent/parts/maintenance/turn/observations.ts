import type { LeaseMemory } from '../../../kubernetes/lease.ts';
import type { AwayMemory } from '../nodes/away.ts';
import type { FleetNode } from './fleet-node.ts';
import type { Ledger, Slot } from './ledger.ts';

/** How far a node is in its turn, as its annotations show. */
export type Phase =
  /** The node may begin, and has not. */
  | 'offered'
  /** The grant was withdrawn before the node began, or a person has released it. */
  | 'withdrawn'
  | 'begun'
  | 'ended'
  /** The Node was deleted, with all that it said; the node may have begun. */
  | 'gone';

/** Returns how far the node of a slot is. */
export function phaseOf({ uid, nonce }: Slot, node: FleetNode | undefined): Phase {
  if (node === undefined || node.uid !== uid) {
    return 'gone';
  }
  if (node.withdrawn === nonce) {
    return 'withdrawn';
  }
  if (node.state?.nonce !== nonce) {
    return 'offered';
  }
  return node.state.state === 'begun' ? 'begun' : 'ended';
}

/** What a holder has seen, in milliseconds of its own monotonic clock. Another holder begins without it. */
export interface Observations {
  /** How long the phase of each slot, and whether its node serves, have not changed; by nonce. */
  readonly lasted: Readonly<Record<string, number>>;
  /** The nodes that left a turn unused, or gave up in it, a short while ago. */
  readonly resting: readonly string[];
  /** True for a while after a ledger was lost, or an older one was restored. */
  readonly isRecovering: boolean;
}

/** The memory from which observations are made. It belongs to one process, and its loss only costs time. */
export interface TurnMemory extends LeaseMemory {
  /** True if the process looks for requests between its passes (`turnBell`). */
  isWatched: boolean;
  readonly phases: Map<string, { readonly what: string; readonly since: number }>;
  readonly rests: Map<string, number>;
  /** When the fleet was looked at last. */
  seenAt: number | undefined;
  /** The number of changes in the newest ledger that was seen. */
  changes: number;
  /** When the ledger was found lost or restored. */
  lostAt: number | undefined;
  readonly away: AwayMemory;
  /** How long the API has not answered this node, while the node waits for its own turn. */
  apiSilence?: Span | undefined;
  /** How long kubelet of this node has not reported to an API that answers, while the node waits for its own turn. */
  kubeletSilence?: Span | undefined;
}

/** A period in which every look saw the same thing: the times of its first and last look, by a monotonic clock. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/** Returns the memory of a new process. */
export function turnMemory(): TurnMemory {
  return {
    isWatched: false,
    phases: new Map(),
    rests: new Map(),
    away: new Map(),
    seenAt: undefined,
    changes: 0,
    lostAt: undefined,
    lease: undefined,
  };
}

/** How long a node that gave a turn away goes without another one; milliseconds. */
const rest = 600_000;
/** A holder that has not looked for this long has not seen what lasted meanwhile; milliseconds. */
const blind = 60_000;
/** How long nothing is granted after a loss of the ledger, until late writes of a former holder show; milliseconds. */
export const recovery = 90_000;

/** Adds what the fleet shows now to the memory, and returns the observations. `now` is a time of a monotonic clock. */
export function observe(
  memory: TurnMemory,
  { nodes, ledger }: { readonly nodes: readonly FleetNode[]; readonly ledger: Ledger },
  now: number,
): Observations {
  forgetIfBlind(memory, now);
  noteLoss(memory, nodes, ledger, now);
  const lasted = ledger.slots.map((slot) => {
    const node = nodes.find(({ name }) => name === slot.node);
    const phase = phaseOf(slot, node);
    const since = notePhase(memory, slot, `${phase} ${node?.serves === true}`, now);
    if (isGivenAway(slot, phase, node, now - since)) {
      memory.rests.set(slot.node, now);
    }
    return [slot.nonce, now - since] as const;
  });
  forgetOthers(memory, ledger);
  return {
    lasted: Object.fromEntries(lasted),
    resting: [...memory.rests].filter(([, since]) => now - since < rest).map(([name]) => name),
    isRecovering: memory.lostAt !== undefined && now - memory.lostAt < recovery,
  };
}

function forgetIfBlind(memory: TurnMemory, now: number): void {
  if (memory.seenAt !== undefined && now - memory.seenAt > blind) {
    memory.phases.clear();
  }
  memory.seenAt = now;
}

/** Notes a ledger that lacks changes which were seen before, or that is new although nodes have had turns. */
function noteLoss(memory: TurnMemory, nodes: readonly FleetNode[], { changes }: Ledger, now: number): void {
  const isNew = changes === 0 && nodes.some(({ grant, state }) => grant ?? state);
  if (changes < memory.changes || (isNew && memory.lostAt === undefined)) {
    memory.lostAt = now;
  }
  memory.changes = changes;
}

function notePhase({ phases }: TurnMemory, { nonce }: Slot, what: string, now: number): number {
  const before = phases.get(nonce);
  if (before?.what === what) {
    return before.since;
  }
  phases.set(nonce, { what, since: now });
  return now;
}

/** True if the node left its turn unused or gave up in it, or if a person released the turn that it has begun. */
function isGivenAway(
  { nonce, seconds }: Slot,
  phase: Phase,
  node: FleetNode | undefined,
  lasted: number,
): boolean {
  switch (phase) {
    case 'offered':
      return lasted >= seconds * 1_000;
    case 'withdrawn':
      return node?.state?.nonce === nonce;
    case 'ended':
      return node?.state?.state === 'gaveUp';
    default:
      return false;
  }
}

function forgetOthers({ phases }: TurnMemory, { slots }: Ledger): void {
  const nonces = new Set(slots.map(({ nonce }) => nonce));
  for (const nonce of phases.keys()) {
    if (!nonces.has(nonce)) {
      phases.delete(nonce);
    }
  }
}
