import type { Host } from '../../engine/host.ts';
import { printableData } from '../../engine/printable.ts';
import type { ConditionType } from '../../engine/resource.ts';
import { type K3sNode, kubeletKubectl } from '../../node.ts';

/** An event about this node, which `kubectl describe node` shows. */
export interface NodeEvent {
  readonly about: ConditionType | 'Node';
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/**
 * The maximum length of a message, in characters, that the API accepts from clients of events.k8s.io (noteLengthLimit).
 */
const messageLimit = 1_024;

/**
 * Creates events about this Node with the kubelet's credentials: one command reads all of them from a temporary file.
 * `now` is in milliseconds since the epoch.
 */
export async function createEvents(
  host: Host,
  node: K3sNode,
  events: readonly NodeEvent[],
  now: number,
): Promise<void> {
  const { events: path } = node.paths.slipway;
  await host.writeFile(path, renderEvents(node, events, now), { mode: 0o600 });
  try {
    // Skips kubectl's validation, which would fetch the whole schema of the API.
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
 * Renders an event as kubelet does (core/v1 Event): the uid is the name of the Node, by which `kubectl describe node`
 * finds the event. Truncates a long message.
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
