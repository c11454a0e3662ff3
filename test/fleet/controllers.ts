import { mayMisdate } from './drawn.ts';
import type { Fleet } from './fleet.ts';
import { badRelease } from './k3s-unit.ts';
import { trueTime } from './machine.ts';
import { readyOf } from './node-object.ts';
import { schedulePods } from './workloads.ts';

const second = 1_000;
const every = 5 * second;
/** The silence of a kubelet after which its Node is no longer Ready (node-monitor-grace-period). */
const grace = 50 * second;

/** Runs the controllers of the cluster while the API of a server answers. */
export function startControllers(fleet: Fleet): void {
  let since: number | undefined;
  const tick = () => {
    const { now } = fleet.timeline;
    noteAbsence(fleet);
    const isLed = fleet.api.fault === undefined && fleet.api.servers().length > 0;
    since = isLed ? (since ?? now) : undefined;
    if (since !== undefined) {
      markSilentNodes(fleet, since);
      fleet.api.settlePods(trueTime(fleet.timeline));
      schedulePods(fleet);
    }
    fleet.timeline.after(every, tick);
  };
  fleet.timeline.after(every, tick);
}

function markSilentNodes({ api, daemons, timeline, trace }: Fleet, since: number): void {
  for (const { node } of daemons) {
    const object = api.objects.get('nodes', undefined, node.name);
    const silent = timeline.now - Math.max(node.kubelet.lastSeen, since);
    if (object && silent > grace && readyOf(object) === 'True') {
      trace.note(node.name, 'is no longer Ready');
      const { conditions, ...status } = Object(object.status);
      const unknown = conditions.map((each: object) => ({
        ...each,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
      }));
      api.objects.put('nodes', undefined, { ...object, status: { ...status, conditions: unknown } });
    }
  }
}

/** How long a node is away before it may count as failed, less the time between two looks. */
const lost = 590 * second;

function noteAbsence(fleet: Fleet): void {
  const { daemons, timeline } = fleet;
  for (const { node } of daemons) {
    if (node.leaves.hasEnded(trueTime(timeline)) && !node.leaves.isStuck && !mayMisdate(fleet.plan)) {
      fleet.brokenPromise ??= `a certificate of ${node.name} has ended`;
      fleet.trace.note(node.name, 'a certificate has ended');
    }
    const isThere = node.object !== undefined && readyOf(node.object) === 'True';
    node.awaySince = isThere ? undefined : (node.awaySince ?? timeline.now);
    const isBad = node.k3s.startedWith.version === badRelease;
    node.mayHaveFailed ||= isBad || timeline.now - (node.awaySince ?? timeline.now) >= lost;
  }
}
