import type { Host } from '../../engine/host.ts';
import { printableData } from '../../engine/printable.ts';
import type { ConditionType } from '../../engine/resource.ts';
import { type K3sNode, kubeletKubectl } from '../../node.ts';

/** An event for `kubectl describe node`. */
export interface NodeEvent {
  readonly about: ConditionType | 'Node';
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Characters of a message that the API accepts from newer clients (events.k8s.io, noteLengthLimit). */
const messageLimit = 1_024;

/** Writes events about this Node as its kubelet, all with one command. `now` is epoch milliseconds. */
export async function createEvents(
  host: Host,
  node: K3sNode,
  events: readonly NodeEvent[],
  now: number,
): Promise<void> {
  const { events: path } = node.paths.slipway;
  await host.writeFile(path, renderEvents(node, events, now), { mode: 0o600 });
  try {
    // Not validated by kubectl, which would fetch the API's whole schema for it.
    await host.run(kubeletKubectl(node, 'create', '--validate=ignore', '-f', path));
  } finally {
    await host.remove(path);
  }
}

/** Renders the events as one List for kubectl. */
function renderEvents(node: K3sNode, events: readonly NodeEvent[], now: number): string {
  const items = events.map((event) => renderEvent(node, event, now));
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, undefined, 2)}\n`;
}

/**
 * Renders an event as kubelet does (core/v1 Event): its Node's name is the uid, by which `kubectl describe node` finds
 * it.
 */
function renderEvent({ name }: K3sNode, { type, reason, message: said }: NodeEvent, now: number): object {
  const message = printableData(said);
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { generateName: `${name}.`, namespace: 'default' },
    involvedObject: { apiVersion: 'v1', kind: 'Node', name, uid: name },
    type,
    reason,
    message: message.length > messageLimit ? `${message.slice(0, messageLimit - 1)}…` : message,
    source: { component: 'slipway', host: name },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}
