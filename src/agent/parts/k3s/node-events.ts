import { type NodeError, toNodeError } from '../../engine/errors.ts';
import type { Host } from '../../engine/host.ts';
import { printableData } from '../../engine/printable.ts';
import type { ConditionType } from '../../engine/resource.ts';
import { createObject } from '../../kubernetes/api.ts';
import { listPath } from '../../kubernetes/object-path.ts';
import type { K3sNode } from '../../node.ts';
import { kubeletAccess } from '../../node-access.ts';

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

/** The list of all events about Nodes, which have no namespace of their own. */
const events = listPath({ apiVersion: 'v1', resource: 'events', namespace: 'default' });

/**
 * Creates events about this Node with the kubelet's credentials. `now` is in milliseconds since the epoch. If the API
 * refuses an event, creates the others before it throws the error of the first. Throws at once if the API does not
 * answer.
 */
export async function createEvents(
  host: Host,
  node: K3sNode,
  news: readonly NodeEvent[],
  now: number,
): Promise<void> {
  const access = await kubeletAccess(host, node);
  const refusals: NodeError[] = [];
  for (const event of news) {
    try {
      await createObject(host, access, events, renderEvent(node, event, now));
    } catch (thrown) {
      const error = toNodeError(thrown);
      if (error.reason !== 'ApiRejected') {
        throw error;
      }
      refusals.push(error);
    }
  }
  const [first] = refusals;
  if (first !== undefined) {
    throw first;
  }
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
