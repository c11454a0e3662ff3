import type { Report } from '../agent.ts';
import { doubled, type Held, isHeld } from '../engine/backoff.ts';
import { toNodeError } from '../engine/errors.ts';
import type { Emit } from '../engine/events.ts';
import type { Host } from '../engine/host.ts';
import type { K3sNode } from '../node.ts';
import {
  annotate,
  announcement,
  createEvents,
  nodeReadyId,
  readAnnotations,
  type Told,
  toldBy,
} from '../parts/k3s/index.ts';

export interface AnnouncerPorts {
  readonly host: Host;
  /** Of Slipway. */
  readonly version: string;
  readonly emit: Emit;
}

/** Tells the cluster of a pass. It never rejects, and resolves when there is no more to tell now. */
export type Announce = (report: Report) => Promise<void>;

const minute = 60_000;
/** After failures in a row: doubling from a minute. */
const longestPause = 60 * minute;

/** What was told of a Node, by the name it has. */
interface Memory {
  readonly node: string;
  readonly told: Told;
}

interface Trouble extends Held {
  readonly failures: number;
  /** Whether the API was known to answer. */
  readonly answered: boolean;
}

/**
 * What makes Kubernetes see how a node stands: annotations of its Node, and events (k3s/announcement.ts).
 *
 * Best effort: nothing waits for it or depends on it, and a failure is one warning at most. What was told is remembered,
 * so that a pass without news costs nothing; a process that begins looks at the annotations once.
 */
export function announcer({ host, version, emit }: AnnouncerPorts): Announce {
  let memory: Memory | undefined;
  let trouble: Trouble | undefined;
  let isWarned = false;
  return oneAtATime(async (report) => {
    const { value: node } = report.knowledge.node;
    if (!node?.settings.k3s.announce) return;
    const answered = apiAnswered(report);
    // Whoever deleted the Node deleted what was told with it.
    if (answered === 'without the Node' || memory?.node !== node.name) memory = undefined;
    if (!isWorthwhile(report, answered) || isHeldBack(trouble, answered, host.now())) return;
    try {
      await tell(node, report);
      trouble = undefined;
    } catch (thrown) {
      const failures = (trouble?.failures ?? 0) + 1;
      const since = host.now();
      const notBefore = since + doubled(failures, minute, longestPause);
      trouble = { failures, since, notBefore, answered: answered === 'yes' };
      warn(toNodeError(thrown).message);
    }
  });

  async function tell(node: K3sNode, { conditions }: Report): Promise<void> {
    const told = memory?.told ?? (await recall(node));
    if (!told) return;
    const now = host.now();
    const next = announcement({ version, role: node.role, conditions }, told, now);
    if (next.events.length > 0) await createEvents(host, node, next.events, now);
    memory = { node: node.name, told: next.told };
    if (next.annotations) await annotate(host, node, next.annotations);
    const annotations = next.annotations ?? told.annotations;
    memory = { node: node.name, told: { ...next.told, annotations } };
  }

  /** Nothing where kubelet has no identity yet. */
  async function recall(node: K3sNode): Promise<Told | undefined> {
    const identity = await host.stat(node.paths.k3s.kubeletKubeconfig);
    return identity && toldBy(await readAnnotations(host, node));
  }

  /** Not the first failure of a row: an API restarts now and then. */
  function warn(why: string): void {
    if (isWarned || (trouble?.failures ?? 0) < 2 || !trouble?.answered) return;
    isWarned = true;
    emit({
      type: 'Warned',
      message: `The cluster cannot be told how this node stands, which does the node no harm. ${why} It is tried again, and this is not said again; k3s.announce: false ends it.`,
    });
  }
}

type Answer = 'yes' | 'no' | 'without the Node' | 'not asked';

/** What this pass saw of the API when it looked whether the node is Ready. */
function apiAnswered({ outcomes }: Report): Answer {
  const outcome = outcomes.find(({ resource }) => resource.id === nodeReadyId);
  switch (outcome?.state) {
    case 'InSync':
      return 'yes';
    case 'Waiting':
    case 'Failed':
      if (outcome.reason === 'NodeNotFound') return 'without the Node';
      return outcome.reason === 'NodeNotReady' ? 'yes' : 'no';
    default:
      return 'not asked';
  }
}

/** Not while something was just changed: the next pass, at once, is the verdict. Unasked, the API may be worth a try. */
function isWorthwhile({ conditions, outcomes }: Report, answered: Answer): boolean {
  if (outcomes.some(({ state }) => state === 'Changed')) return false;
  return answered === 'yes' || (answered === 'not asked' && conditions[0]?.status === 'False');
}

/** A failure while nobody knew of the API says nothing about a pass in which it answers. */
function isHeldBack(trouble: Trouble | undefined, answered: Answer, now: number): boolean {
  if (!trouble || (answered === 'yes' && !trouble.answered)) return false;
  return isHeld(trouble, now);
}

/** Of the reports that come while one is told only the last is told then. */
function oneAtATime(announce: Announce): Announce {
  let latest: Report | undefined;
  let underWay: Promise<void> | undefined;
  const all = async () => {
    for (let report = latest; report; report = latest) {
      latest = undefined;
      await announce(report);
    }
    underWay = undefined;
  };
  return (report) => {
    latest = report;
    underWay ??= all();
    return underWay;
  };
}
