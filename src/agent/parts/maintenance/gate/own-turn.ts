import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import { type ApiNode, readOwnNode } from '../../k3s/index.ts';
import { readTurn, type TurnAnnotations } from '../turn/annotations.ts';

/** What this node's own Node says about its turn. */
export interface OwnTurn extends TurnAnnotations {
  readonly found: ApiNode;
}

/** Reads the turn of this node; `undefined` if the cluster does not have its Node. Throws the errors of `readApi`. */
export async function readOwnTurn(host: HostReader, node: K3sNode): Promise<OwnTurn | undefined> {
  const found = await readOwnNode(host, node);
  return found && ownTurn(found);
}

/** Reads the turn of this node as `readOwnTurn` does, and returns its NodeError instead of throwing it. */
export function ownTurnOrError(host: HostReader, node: K3sNode): Promise<OwnTurn | NodeError | undefined> {
  return readOwnTurn(host, node).catch((thrown: unknown) => {
    if (thrown instanceof NodeError) {
      return thrown;
    }
    throw thrown;
  });
}

/** Returns what a Node says about its turn. */
export function ownTurn(found: ApiNode): OwnTurn {
  return { found, ...readTurn(found.metadata?.annotations ?? {}) };
}
