import type { FleetNode } from '../turn/fleet-node.ts';

/** How long kubelet of a node has to be silent, by the clock of this process, before the node is away; milliseconds. */
const patience = 600_000;
/** The milliseconds between two looks at a silent node. */
const soon = 60_000;
/** A process that has not looked for this long has not seen whether kubelet reported meanwhile; milliseconds. */
const blind = 120_000;

/** A silence of kubelet: what the Node showed, and when it was seen first and last, by a monotonic clock. */
interface Silence {
  readonly record: string;
  readonly since: number;
  readonly last: number;
}

/**
 * What a process has seen of the nodes whose kubelet does not report, by name. Its loss, as by a restart of Slipway,
 * only prolongs the wait.
 */
export type AwayMemory = Map<string, Silence>;

/** The nodes whose kubelet does not report. */
export interface Away {
  /** Those that have been silent for ten minutes. */
  readonly long: readonly FleetNode[];
  /** The milliseconds until the next look; absent while every kubelet reports. */
  readonly after?: number;
}

/**
 * Notes which nodes are silent (`Unknown`), and returns those that have been silent for ten minutes, as far as this
 * process has seen. A node that is not Ready (`False`) runs, because its kubelet reports that. `now` is a time of a
 * monotonic clock. The times in a Node are never compared with a clock, but a changed time shows that the Node was
 * Ready meanwhile. After more than two minutes without a look, such as during an outage of the API, the ten minutes
 * begin anew, because no node can report meanwhile.
 */
export function observeAway(memory: AwayMemory, nodes: readonly FleetNode[], now: number): Away {
  const silent = nodes.filter(({ ready }) => ready === 'Unknown');
  for (const name of memory.keys()) {
    if (!silent.some((node) => node.name === name)) {
      memory.delete(name);
    }
  }
  const long = silent.filter((node) => now - noteSilence(memory, node, now) >= patience);
  return { long, ...(silent.length > 0 && { after: soon }) };
}

/** Notes the silence of a node, and returns when it began. */
function noteSilence(memory: AwayMemory, { name, uid, readySince }: FleetNode, now: number): number {
  const record = `${uid} ${readySince ?? ''}`;
  const before = memory.get(name);
  const isSame = before?.record === record && now - before.last <= blind;
  const since = isSame ? before.since : now;
  memory.set(name, { record, since, last: now });
  return since;
}
