import * as z from 'zod/mini';
import type { HostReader } from '../../../engine/host.ts';
import { readList } from '../../../kubernetes/lists.ts';
import { listPath } from '../../../kubernetes/object-path.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import { turnKeys } from './annotations.ts';
import type { TurnMemory } from './observations.ts';

/** The milliseconds between two looks at the requests of the fleet. */
export const bellInterval = 30_000;

/**
 * Makes a function that resolves to true if a node has asked for a turn since the last call. The server looks between
 * its passes, because a pass each half minute would cost more than all the rest. Notes in `memory` that this process
 * looks.
 *
 * Resolves to false on an agent, and rejects with the errors of `readApi`.
 */
export function turnBell(memory: TurnMemory): (host: HostReader, node: K3sNode) => Promise<boolean> {
  let known: ReadonlySet<string> = new Set();
  memory.isWatched = true;
  return async (host, node) => {
    if (!isServer(node)) {
      return false;
    }
    const access = await nodeAccess(host, node);
    const nodes = await readList(host, access, nodesPath, nodeMetadata, 'listMetadata');
    const asked = nodes.flatMap(({ metadata: { name, annotations } }) => {
      const request = annotations?.[turnKeys.request];
      return request === undefined ? [] : [`${name} ${request}`];
    });
    const isNew = asked.some((request) => !known.has(request));
    known = new Set(asked);
    return isNew;
  };
}

const nodesPath = listPath({ apiVersion: 'v1', resource: 'nodes' });

/** The metadata of a Node. */
const nodeMetadata = z.object({
  metadata: z.object({
    name: z.string(),
    annotations: z.nullish(z.record(z.string(), z.string())),
  }),
});
