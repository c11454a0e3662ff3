import type { CloudEvent } from '../../../clouds/events.ts';
import type { HostReader } from '../../../engine/host.ts';
import type { Finding } from '../../../engine/resource.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import { copyStep, readOwnNode } from '../../k3s/index.ts';
import { bootTime } from '../boot-time.ts';
import { cordonStep } from '../drain/cordon.ts';
import { drainStep } from '../drain/drain.ts';
import { readRecord } from '../drain/record.ts';
import { holdOf } from '../gate/hold.ts';
import { readNodes } from '../turn/look.ts';
import { limitOf } from './judgement.ts';
import type { EventDuty } from './node-events.ts';
import { cordonReason } from './words.ts';

/**
 * The largest datastore that is copied before an event, in bytes. A copy of it takes less than ten seconds: it is
 * written and read back at 40 MB/s or more.
 */
const copied = 200 * 1024 ** 2;

/** What is left to do before an event. */
export interface Preparation {
  /** The next step or wait; `undefined` once the node is ready for the event. */
  readonly next: Finding | undefined;
  /**
   * True if this is the only server of its cluster, which is not drained: its pods have nowhere to go without its API.
   */
  readonly isOnlyServer: boolean;
}

/** Returns what is left to do before an event. Throws the errors of `readApi`. */
export async function preparation(host: HostReader, node: K3sNode, due: EventDuty): Promise<Preparation> {
  if ((await host.stat(node.paths.k3s.kubeletKubeconfig)) === undefined) {
    return { next: undefined, isOnlyServer: false };
  }
  const isOnlyServer = await isAlone(host, node);
  const next = isOnlyServer ? await copyBefore(host, node, due) : await emptying(host, node, due);
  return { next, isOnlyServer };
}

/**
 * True if the node may let an event begin long before its time: it is not held, and not the only server. Throws the
 * errors of `readApi`.
 */
export async function mayGoEarly(host: HostReader, node: K3sNode): Promise<boolean> {
  return (await holdOf(host, node)) === undefined && !(await isAlone(host, node));
}

async function isAlone(host: HostReader, node: K3sNode): Promise<boolean> {
  if (!isServer(node)) {
    return false;
  }
  const nodes = await readNodes(host, await nodeAccess(host, node));
  return !nodes.some(({ name, isServer }) => isServer && name !== node.name);
}

async function copyBefore(
  host: HostReader,
  node: K3sNode,
  { event, duty }: EventDuty,
): Promise<Finding | undefined> {
  if (duty !== 'prepare') {
    return undefined;
  }
  const running = (await readOwnNode(host, node))?.status?.nodeInfo?.kubeletVersion ?? node.version;
  return copyStep(host, node, { reason: turnOf(event), version: running, largest: copied });
}

async function emptying(
  host: HostReader,
  node: K3sNode,
  { event, duty }: EventDuty,
): Promise<Finding | undefined> {
  const cordoning = await cordonStep(host, node, cordonReason(event));
  if (cordoning !== undefined || duty !== 'prepare') {
    return cordoning;
  }
  const { timeout, onTimeout } = node.settings.maintenance.drain;
  const turn = turnOf(event);
  const time = await bootTime(host);
  const record = await readRecord(host, node.paths, turn, time);
  const elapsed = record === undefined ? 0 : (time.seconds - record.since) * 1_000;
  const { grace, ...limit } = limitOf(event, host.now(), elapsed, timeout);
  // The cloud does not wait, so a node cannot give up. An eviction of the VM leaves no time for deletions either.
  const then = onTimeout === 'force' && grace === undefined ? 'force' : 'proceed';
  const drained = await drainStep(host, node, {
    turn,
    nowhere: false,
    limit: { ...limit, onTimeout: then },
    ...(grace !== undefined && { grace }),
  });
  return drained?.state === 'GaveUp' ? undefined : drained;
}

function turnOf({ id }: CloudEvent): string {
  return `event ${id}`;
}
