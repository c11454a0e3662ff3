import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { type Change, type Finding, inSync, type Resource } from '../../../engine/resource.ts';
import { writeLease } from '../../../kubernetes/lease.ts';
import type { K3sNode } from '../../../node.ts';
import { neverBlocking } from '../../../resources/combinators.ts';
import { actionText } from './actions.ts';
import { type Decision, decide } from './decide.ts';
import type { Fleet } from './fleet.ts';
import { type Look, type Looker, lookAtFleet, lookerOf } from './look.ts';
import type { TurnMemory } from './observations.ts';
import { perform } from './perform.ts';
import { turnsFinding, unreadableFinding } from './turns-finding.ts';
import { turnsLease } from './turns-lease.ts';

/** The milliseconds between two looks at the fleet: during turns, and while nodes only wait or have failed. */
const soon = 5_000;
const idle = 30_000;
/** The most steps of one pass. */
const mostSteps = 50;

/**
 * Returns the Resource with which a server grants turns: it holds the Lease while there is something to grant, and
 * carries out what `decide` returns. It needs no other Resource, because K3s may wait for the turn that it grants.
 */
export function turns(node: K3sNode, memory: TurnMemory): Resource {
  return neverBlocking({
    id: 'Turn/grants',
    summary: 'grant the turns of the fleet',
    condition: 'Turns',
    async check(host) {
      if ((await host.stat(node.paths.k3s.kubeconfig)) === undefined) {
        return inSync({ message: 'K3s has not started yet', until: host.now() + restOf(memory) });
      }
      return judge(host, node, await lookAtFleet(host, await lookerOf(host, node, memory)), memory);
    },
  });
}

function judge(host: HostReader, node: K3sNode, { fleet, holding }: Look, memory: TurnMemory): Finding {
  if (fleet === undefined) {
    return unreadableFinding(idle);
  }
  const decision = decide(fleet);
  if (!isActive(fleet, decision)) {
    return turnsFinding(host, fleet, decision, isOrderable(fleet, decision) ? idle : restOf(memory));
  }
  if (holding.state === 'other') {
    const until = host.now() + Math.min(soon, holding.expiresIn);
    return inSync({ message: `${holding.holder} grants the turns`, until });
  }
  const changes = changesOf(node.name, holding.state === 'free', decision);
  if (changes.length > 0 || (holding.state === 'mine' && holding.isRenewalDue)) {
    return drifted(node, memory, changes);
  }
  return turnsFinding(host, fleet, decision, soon);
}

/** True if a person can order something: a node waits, has a turn or has failed. */
function isOrderable({ ledger: { slots, failures } }: Fleet, { waits }: Decision): boolean {
  return waits.length + slots.length + failures.length > 0;
}

/** The milliseconds until the next look while no node asks; the bell wakes a process that has one. */
function restOf({ isWatched }: TurnMemory): number {
  return isWatched ? 600_000 : idle;
}

/** True if there is something to do, or a turn that has not failed. Otherwise, no server needs to hold the Lease. */
function isActive({ ledger: { slots, failures } }: Fleet, { actions }: Decision): boolean {
  const isFailed = (nonce: string) => failures.some((failure) => failure.nonce === nonce);
  return actions.length > 0 || slots.some(({ nonce }) => !isFailed(nonce));
}

function changesOf(me: string, isFree: boolean, { actions: [next] }: Decision): readonly Change[] {
  const take = { field: 'the holder of the Lease', observed: undefined, desired: me };
  const act = next && { field: 'turns', observed: undefined, desired: actionText(next) };
  return [...(isFree ? [take] : []), ...(act ? [act] : [])];
}

function drifted(node: K3sNode, memory: TurnMemory, changes: readonly Change[]): Finding {
  const renewal = { field: 'the renewal of the Lease', observed: undefined, desired: 'now' };
  const [first] = changes.filter(({ field }) => field === 'turns');
  return {
    state: 'Drifted',
    drift: {
      changes: changes.length > 0 ? changes : [renewal],
      summary: first?.desired ?? 'hold the Lease of the turns',
      due: true,
      remedy: (host) => grantTurns(host, node, memory),
    },
  };
}

/** Carries out one action after the other; reads the fleet again after each, because it changes meanwhile. */
async function grantTurns(host: Host, node: K3sNode, memory: TurnMemory): Promise<void> {
  const looker = await lookerOf(host, node, memory);
  for (let step = 0; step < mostSteps; step += 1) {
    const look = await lookAtFleet(host, looker);
    if (look.holding.state === 'other' || !(await despiteConflicts(() => takeStep(host, looker, look)))) {
      return;
    }
  }
}

/** Takes one step. Returns false if nothing was left to do. */
async function takeStep(host: Host, looker: Looker, { fleet, lease, holding }: Look): Promise<boolean> {
  if (holding.state !== 'mine') {
    await writeLease(host, looker.access, turnsLease, { before: lease, me: looker.me });
    return true;
  }
  const [action] = fleet ? decide(fleet).actions : [];
  if (fleet && action) {
    await perform(host, looker, { fleet, lease }, action);
    return true;
  }
  if (holding.isRenewalDue) {
    await writeLease(host, looker.access, turnsLease, { before: lease, me: looker.me });
  }
  return false;
}

/** Returns the result of a step; true, so that the fleet is read again, if another writer came first. */
async function despiteConflicts(step: () => Promise<boolean>): Promise<boolean> {
  try {
    return await step();
  } catch (thrown) {
    if (thrown instanceof NodeError && thrown.reason === 'ApiConflict') {
      return true;
    }
    throw thrown;
  }
}
