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
  /** The version of Slipway. */
  readonly version: string;
  readonly emit: Emit;
}

/**
 * Reports a pass to the cluster. Never rejects; resolves once this report, and each report that arrived meanwhile, is
 * announced or skipped.
 */
export type Announce = (report: Report) => Promise<void>;

const minute = 60_000;
/**
 * The longest pause after a failure, in milliseconds. The pause starts at a minute, and doubles with each failure in a
 * row.
 */
const longestPause = 60 * minute;

/** The last announcement, with the name of its Node. */
interface Memory {
  readonly node: string;
  readonly told: Told;
}

interface Trouble extends Held {
  readonly failures: number;
  /** True if the API was known to answer before the failure. */
  readonly answered: boolean;
}

/**
 * Returns a function that shows the state of the node in Kubernetes: as annotations of its Node, and as events
 * (parts/k3s/announcement.ts).
 *
 * Nothing waits for an announcement or depends on it, and failures cause at most one warning. The last announcement is
 * remembered, so that a pass without news makes no request; a new process reads the annotations once.
 */
export function announcer({ host, version, emit }: AnnouncerPorts): Announce {
  let memory: Memory | undefined;
  let trouble: Trouble | undefined;
  let isWarned = false;
  return oneAtATime(async (report) => {
    const { value: node } = report.knowledge.node;
    if (!node?.settings.k3s.announce) {
      return;
    }
    const answered = apiAnswered(report);
    // A deleted Node took its annotations with it.
    if (answered === 'without the Node' || memory?.node !== node.name) {
      memory = undefined;
    }
    if (!isWorthwhile(report, answered) || isHeldBack(trouble, answered, host.now())) {
      return;
    }
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
    if (!told) {
      return;
    }
    const now = host.now();
    const next = announcement({ version, role: node.role, conditions }, told, now);
    if (next.events.length > 0) {
      await createEvents(host, node, next.events, now);
    }
    memory = { node: node.name, told: next.told };
    if (next.annotations) {
      await annotate(host, node, next.annotations);
    }
    const annotations = next.annotations ?? told.annotations;
    memory = { node: node.name, told: { ...next.told, annotations } };
  }

  /** Reads the last announcement from the Node; resolves to `undefined` if kubelet has no identity yet. */
  async function recall(node: K3sNode): Promise<Told | undefined> {
    const identity = await host.stat(node.paths.k3s.kubeletKubeconfig);
    return identity && toldBy(await readAnnotations(host, node));
  }

  /**
   * Warns only once, if the API answered before the failures. Does not warn at the first failure in a row, since an API
   * restarts now and then.
   */
  function warn(why: string): void {
    if (isWarned || (trouble?.failures ?? 0) < 2 || !trouble?.answered) {
      return;
    }
    isWarned = true;
    emit({
      type: 'Warned',
      message: `The state of this node cannot be reported to the cluster, which does not harm the node. ${why} It is tried again without a further warning; k3s.announce: false turns it off.`,
    });
  }
}

type Answer = 'yes' | 'no' | 'without the Node' | 'not asked';

/** Returns whether the API answered when this pass checked if the node is Ready, and whether the Node exists. */
function apiAnswered({ outcomes }: Report): Answer {
  const outcome = outcomes.find(({ resource }) => resource.id === nodeReadyId);
  switch (outcome?.state) {
    case 'InSync':
      return 'yes';
    case 'Waiting':
    case 'Failed':
      if (outcome.reason === 'NodeNotFound') {
        return 'without the Node';
      }
      return outcome.reason === 'NodeNotReady' ? 'yes' : 'no';
    default:
      return 'not asked';
  }
}

/**
 * True if a report of this pass is worth a request: the API answered, or nothing queried the API and Ready is False.
 * False after a change, since the next pass follows at once and verifies the change.
 */
function isWorthwhile({ conditions, outcomes }: Report, answered: Answer): boolean {
  if (outcomes.some(({ state }) => state === 'Changed')) {
    return false;
  }
  return answered === 'yes' || (answered === 'not asked' && conditions[0]?.status === 'False');
}

/**
 * True until the pause after a failure is over. If the API was not known to answer before the failure, the pause ends
 * as soon as the API answers.
 */
function isHeldBack(trouble: Trouble | undefined, answered: Answer, now: number): boolean {
  if (!trouble || (answered === 'yes' && !trouble.answered)) {
    return false;
  }
  return isHeld(trouble, now);
}

/**
 * Returns a function that announces one report at a time. Of the reports that arrive during an announcement, only the
 * last is announced.
 */
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
