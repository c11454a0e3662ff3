import type { HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { neverBlocking } from '../../../resources/combinators.ts';
import { uncordonStep } from '../drain/cordon.ts';
import { isBegun } from '../turn/annotations.ts';
import { covers, type MaintenanceGate } from './gate.ts';
import { endStep, type Undone, undoneStep } from './in-turn.ts';
import { type OwnTurn, readOwnTurn } from './own-turn.ts';
import { withdrawStep } from './request.ts';

export interface TurnEndedPorts {
  readonly gate: MaintenanceGate;
  /** Returns why the node undid the change for the wish with this digest; `undefined` if it did not. */
  readonly takenBack: (host: HostReader, node: K3sNode, digest: string) => Promise<string | undefined>;
  /** Returns the change that the node has undone and still does not make, if there is one. */
  readonly undone: (host: HostReader, node: K3sNode) => Promise<Undone | undefined>;
}

/**
 * Ends the turn of this node once the node is Ready again and nothing asks to be interrupted any more: removes the
 * cordon, and reports the end to the servers. Also removes a request that nothing needs, and reports again what the
 * node has undone if its Node was created again. Belongs after everything that
 * asks the gate, and needs a node that has been Ready since its last start.
 */
export function turnEnded(node: K3sNode, ports: TurnEndedPorts, needs: readonly string[]): Resource {
  return neverBlocking({
    id: 'Turn/ended',
    summary: 'end the turn of this node',
    condition: 'Maintenance',
    needs,
    async check(host) {
      const turn = await readOwnTurn(host, node);
      return (turn && (await nextStep(host, node, turn, ports))) ?? inSync();
    },
  });
}

async function nextStep(
  host: HostReader,
  node: K3sNode,
  turn: OwnTurn,
  { gate, takenBack, undone }: TurnEndedPorts,
): Promise<Finding | undefined> {
  const { state, request } = turn;
  const wishes = gate.takeWishes();
  if (!isBegun(turn) || state === undefined) {
    const isNeeded = wishes.some(({ digest }) => digest === request?.digest);
    const lost = state === undefined ? await undone(host, node) : undefined;
    return request && !isNeeded ? withdrawStep(node, request) : lost && undoneStep(node, lost);
  }
  // A wish that this turn does not cover, such as the next upgrade, waits for the end of this turn.
  const pending = wishes.find((wish) => covers(turn, wish))?.name;
  if (pending !== undefined) {
    return waiting('InTurn', `This node is in its turn for "${state.wish}": ${pending}.`, {
      isExpected: true,
      after: 5_000,
    });
  }
  const uncordoning = await uncordonStep(host, node);
  if (uncordoning) {
    return uncordoning;
  }
  const why = await takenBack(host, node, state.digest);
  return endStep(node, state, why === undefined ? 'done' : 'rolledBack', why ?? '');
}
