/** The rules of granting: each returns why a node that asks has to wait, or `undefined` if the rule lets it pass. */

import type { TurnRequest } from './annotations.ts';
import {
  type Asking,
  askingNodes,
  type Fleet,
  failedNodes,
  mostAgents,
  otherServerAway,
  slotsOf,
} from './fleet.ts';
import type { FleetNode } from './fleet-node.ts';
import { agentSkew, serverSkew } from './skew.ts';

type Rule = (asking: Asking, fleet: Fleet) => string | undefined;

/** Returns why a node may not have its turn now, as the rest of a sentence that begins with its name. */
export function obstacle(asking: Asking, fleet: Fleet): string | undefined {
  return firstOf([...forAll, ...(asking.node.isServer ? forServers : forAgents)], asking, fleet);
}

function firstOf(rules: readonly Rule[], asking: Asking, fleet: Fleet): string | undefined {
  for (const rule of rules) {
    const why = rule(asking, fleet);
    if (why !== undefined) {
      return why;
    }
  }
  return undefined;
}

const paused: Rule = (_, { settings }) =>
  settings.pause ? 'waits while maintenance.pause is set' : undefined;

const held: Rule = ({ node }) => (node.isHeld ? 'is held' : undefined);

const recovering: Rule = (_, { seen }) =>
  seen.isRecovering ? 'waits until the turns are known again' : undefined;

/** A node that does not report could neither begin nor show how it ends. */
const silent: Rule = ({ node }) => (node.ready === 'Unknown' ? 'does not report' : undefined);

/**
 * Returns why a node gets no turn for a wish after a failure, its own or that of others, as the rest of a sentence that
 * begins with its name. Does not apply to an urgent wish.
 */
export function stoppedBecause(
  { name }: Pick<FleetNode, 'name'>,
  { wish, digest }: Pick<TurnRequest, 'wish' | 'digest'>,
  fleet: Fleet,
): string | undefined {
  const hasFailed = fleet.ledger.failures.some(
    (failure) => failure.node === name && failure.wish === wish && failure.digest === digest,
  );
  const [failed] = failedNodes(fleet, wish);
  return hasFailed ? 'failed in its last turn' : failed && `waits because ${failed} failed`;
}

const stopped: Rule = ({ node, request }, fleet) => stoppedBecause(node, request, fleet);

const resting: Rule = ({ node, isNow }, { seen }) =>
  !isNow && seen.resting.includes(node.name) ? 'left its last turn and waits ten minutes' : undefined;

const closed: Rule = ({ request, isNow }) =>
  !isNow && request.closed ? 'waits for its maintenance window' : undefined;

const otherServerInTurn: Rule = (_, fleet) => waitsFor(slotsOf(fleet, 'server')[0]?.node);

const otherServersServe: Rule = ({ node, isNow }, fleet) => {
  const other = isNow ? undefined : otherServerAway(node, fleet);
  if (other === undefined) {
    return undefined;
  }
  return other.ready === 'True'
    ? `waits for ${other.name}, which does not vote in etcd`
    : `waits for ${other.name}, which is not Ready`;
};

/**
 * After a rotation of the join token, K3s starts only with the new one, so no server restarts before all servers have
 * its file. A server that is away takes the file before it starts.
 */
const tokenEverywhere: Rule = ({ node }, { nodes, rotation }) => {
  const servers = nodes.filter(({ isServer }) => isServer);
  if (rotation === undefined || servers.length === 1) {
    return undefined;
  }
  if (!rotation.stored) {
    return `waits for ${rotation.node}, which rotates the join token`;
  }
  const other = servers.find(({ ready, token }) => ready === 'True' && token?.to !== rotation.to);
  return other?.name === node.name
    ? 'waits for its new join token'
    : other && `waits for ${other.name}, which does not have the new join token yet`;
};

const agentInTurn: Rule = (_, fleet) => waitsFor(slotsOf(fleet, 'agent')[0]?.node);

const serverInTurn: Rule = (_, fleet) => waitsFor(slotsOf(fleet, 'server')[0]?.node);

/**
 * Servers go before agents that want the same, and before any agent if only the turns of agents keep them waiting:
 * otherwise agents could follow each other for ever.
 */
const serversFirst: Rule = ({ request, isNow }, fleet) => {
  const server = askingNodes(fleet).find(
    (other) =>
      other.node.isServer &&
      firstOf(forAll, other, fleet) === undefined &&
      (other.request.wish === request.wish || firstOf(amongServers, other, fleet) === undefined),
  );
  return isNow ? undefined : waitsFor(server?.node.name);
};

/** While a node that routes is away, the hosts behind it are cut off, and their turns would not end. */
const routesAlone: Rule = ({ request }, { ledger }) =>
  waitsFor(ledger.slots.find(({ routes }) => routes || request.routes)?.node);

const firstAlone: Rule = ({ request }, fleet) => {
  const first = slotsOf(fleet, 'agent').find(({ wish }) => wish === request.wish);
  return first === undefined || fleet.ledger.proven.includes(request.wish)
    ? undefined
    : `waits for ${first.node}, which goes first`;
};

const enoughAgents: Rule = (_, fleet) => {
  const slots = slotsOf(fleet, 'agent');
  return slots.length < mostAgents(fleet) ? undefined : waitsFor(slots[0]?.node);
};

/** Exempts urgent requests from a rule. */
function unlessUrgent(rule: Rule): Rule {
  return (asking, fleet) => (asking.request.urgent ? undefined : rule(asking, fleet));
}

const failures = [stopped, resting].map(unlessUrgent);
const forAll = [paused, held, recovering, silent, ...failures, closed];
const amongServers = [
  otherServerInTurn,
  ...[otherServersServe, tokenEverywhere].map(unlessUrgent),
  serverSkew,
];
const forServers = [...amongServers, agentInTurn, routesAlone];
const forAgents = [
  ...[serverInTurn, serversFirst, agentSkew, routesAlone],
  ...[unlessUrgent(firstAlone), enoughAgents],
];

function waitsFor(name: string | undefined): string | undefined {
  return name && `waits for ${name}`;
}
