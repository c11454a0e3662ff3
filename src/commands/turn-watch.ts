import { NodeError } from '../agent/engine/errors.ts';
import type { Host } from '../agent/engine/host.ts';
import { isServer, type K3sNode } from '../agent/node.ts';
import { bellInterval, type TurnMemory, turnBell } from '../agent/parts/maintenance/index.ts';
import { nodeWatch } from './node-watch.ts';

interface TurnWatch {
  readonly host: Host;
  readonly turns: TurnMemory;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  readonly onAsked: () => void;
}

/**
 * Returns a function that takes this node after each pass. Its first call starts the watch for nodes that ask for a
 * turn. On a server, the watch checks every half minute, and ignores an API that does not answer, because the passes
 * report it.
 */
export function turnWatch({ host, turns, signal, onAsked }: TurnWatch): (node: K3sNode | undefined) => void {
  const bell = turnBell(turns);
  return nodeWatch(async (watched) => {
    while (!signal.aborted) {
      const { current } = watched;
      if (current === undefined || !isServer(current)) {
        await watched.next();
        continue;
      }
      await host.sleep(bellInterval, signal);
      if (await hasRung(watched.current ?? current)) {
        onAsked();
      }
    }
  });

  async function hasRung(node: K3sNode): Promise<boolean> {
    try {
      return await bell(host, node);
    } catch (thrown) {
      if (thrown instanceof NodeError) {
        return false;
      }
      throw thrown;
    }
  }
}
