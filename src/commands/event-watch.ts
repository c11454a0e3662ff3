import type { CloudEvents } from '../agent/clouds/events.ts';
import type { Host } from '../agent/engine/host.ts';
import type { K3sNode } from '../agent/node.ts';
import { type EventMemory, forgetEvents, lookForEvents } from '../agent/parts/maintenance/index.ts';
import { nodeWatch } from './node-watch.ts';

interface EventWatch {
  readonly host: Host;
  /** Returns the announcements of the node's cloud; `undefined` if the cloud announces nothing. */
  readonly eventsOf: (node: K3sNode) => CloudEvents | undefined;
  readonly memory: EventMemory;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  readonly onNews: () => void;
}

/** The interval between two questions while the cloud has not answered yet; milliseconds. */
const usually = 10_000;

/**
 * Returns a function that takes this node after each pass. Its first call starts the watch, which asks the cloud for
 * events, records the answers, and calls `onNews` if an answer has news. While maintenance.scheduledEvents is off, the
 * watch asks nothing, because the first request switches the events on, and waits for the next pass.
 */
export function eventWatch({
  host,
  eventsOf,
  memory,
  signal,
  onNews,
}: EventWatch): (node: K3sNode | undefined) => void {
  memory.isWatched = true;
  return nodeWatch(async (watched) => {
    while (!signal.aborted) {
      const { current: node } = watched;
      const isOff = (node?.settings.maintenance.scheduledEvents ?? 'off') === 'off';
      const events = node === undefined || isOff ? undefined : eventsOf(node);
      if (events === undefined) {
        forgetEvents(memory);
        await watched.next();
        continue;
      }
      if (await lookForEvents(memory, events, host.monotonic())) {
        onNews();
      }
      await host.sleep(memory.list?.nextAfter ?? usually, signal);
    }
  });
}
