import type { FleetNode } from '../turn/fleet-node.ts';

/** How long a node has to be not Ready, by the clock of this process, before it counts as away; milliseconds. */
const patience = 600_000;

/**
 * What a process has seen of the nodes that are not Ready, by name. Its loss, as by a restart of Slipway, only prolongs
 * the wait.
 */
export type AwayMemory = Map<string, { readonly record: string; readonly since: number }>;

/** The nodes that are not Ready. */
export interface Away {
  /** Those that have not been Ready for ten minutes. */
  readonly long: readonly FleetNode[];
  /** The milliseconds until the next one is among them; absent if none will be. */
  readonly after?: number;
}

/**
 * Notes which nodes are not Ready, and returns those that have not been Ready for ten minutes, as far as this process
 * has seen. `now` is a time of a monotonic clock. The times in a Node are never compared with a clock, but a changed
 * time shows that the Node was Ready meanwhile.
 */
export function observeAway(memory: AwayMemory, nodes: readonly FleetNode[], now: number): Away {
  const away = nodes.filter(({ ready }) => ready !== 'True');
  for (const name of memory.keys()) {
    if (!away.some((node) => node.name === name)) {
      memory.delete(name);
    }
  }
  const seen = away.map((node) => ({ node, lasted: now - noteAway(memory, node, now) }));
  const rest = seen.filter(({ lasted }) => lasted < patience).map(({ lasted }) => patience - lasted);
  return {
    long: seen.filter(({ lasted }) => lasted >= patience).map(({ node }) => node),
    ...(rest.length > 0 && { after: Math.min(...rest) }),
  };
}

function noteAway(memory: AwayMemory, { name, uid, ready, readySince }: FleetNode, now: number): number {
  const record = `${uid} ${ready} ${readySince ?? ''}`;
  const before = memory.get(name);
  if (before?.record === record) {
    return before.since;
  }
  memory.set(name, { record, since: now });
  return now;
}
