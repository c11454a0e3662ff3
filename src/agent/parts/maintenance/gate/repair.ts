import type { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { type Finding, step, waiting } from '../../../engine/resource.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import { showUnit } from '../../../resources/unit.ts';
import type { ApiNode, Wish } from '../../k3s/index.ts';
import type { Span, TurnMemory } from '../turn/observations.ts';
import { readSight, remember } from './sight.ts';

/** How long the API or kubelet must have been silent before a restart without a turn; milliseconds. */
const silence = 600_000;

/**
 * The longest time between two looks at one silence: if they are further apart, it may have ended meanwhile;
 * milliseconds.
 */
const apart = 120_000;

/** What a process has seen of the API. Its loss, as by a restart of Slipway, only prolongs the wait. */
export type Silence = Pick<TurnMemory, 'apiSilence' | 'kubeletSilence'>;

/** Notes that the API has answered. */
export function noteAnswer(memory: Silence): void {
  memory.apiSilence = undefined;
}

/**
 * True if kubelet of this node has not reported for ten minutes, although the API answers. Servers grant such a node no
 * turn, and its credential may be what is broken. The last parameter is this node's Node.
 */
export function isKubeletSilent(host: HostReader, memory: Silence, { status }: ApiNode): boolean {
  const isSilent = status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'Unknown');
  memory.kubeletSilence = isSilent ? continued(memory.kubeletSilence, host.monotonic()) : undefined;
  return isLong(memory.kubeletSilence);
}

/**
 * Decides whether a node that cannot take turns may be interrupted. A restart is allowed once per cause, because no
 * turn protects anything, if the cluster does not have the Node (`trouble` is `undefined`), the API refuses the
 * credential of the node, its kubeconfig is damaged, or the API has not answered for ten minutes and the wish may
 * repair that. Otherwise returns a wait. Reboots, upgrades and rotations of the join token always wait.
 */
export async function repair(
  host: HostReader,
  node: K3sNode,
  wish: Wish,
  { trouble, memory }: { readonly trouble: NodeError | undefined; readonly memory: Silence },
): Promise<Finding | undefined> {
  if (!isRestart(wish)) {
    return untilReachable(node, wish, trouble);
  }
  switch (trouble?.reason) {
    case undefined:
      return oncePerCause(host, node, wish, `the cluster has no Node ${node.name}`);
    case 'ApiForbidden':
      noteAnswer(memory);
      return oncePerCause(host, node, wish, 'the API does not accept the credential of this node');
    case 'ApiUnavailable':
      if (!(await hasUsableAccess(host, node))) {
        return oncePerCause(host, node, wish, 'the kubeconfig of this node is damaged');
      }
      return isSilentForLong(host, memory) && wish.isAboutAccess
        ? oncePerCause(host, node, wish, 'the API has not answered for ten minutes')
        : waiting('ApiUnavailable', `"${wish.name}" waits for its turn. ${trouble.message}`, patiently);
    default:
      throw trouble;
  }
}

/**
 * True if K3s only has to be restarted for the wish, and the restart may bring the node back. Many nodes may be unable
 * to take turns at the same time, such as while the datastore is overloaded, and then must not all change their release
 * or reboot. The restart that ends a rotation of the join token brings back nothing: K3s accepts the old token until
 * then.
 */
function isRestart({ kind, isInPlace = false }: Wish): boolean {
  return kind === 'restart' || kind === 'certificates' || (kind === 'upgrade' && isInPlace);
}

/**
 * True if the wish may be what brings back a kubelet that does not report: a change of the node's access to its
 * cluster, or of its release.
 */
export function revivesKubelet(wish: Wish): boolean {
  return isRestart(wish) && (wish.isAboutAccess === true || wish.isInPlace === true);
}

function untilReachable({ name: node }: K3sNode, { name }: Wish, trouble: NodeError | undefined): Finding {
  const { reason, message } = trouble ?? {
    reason: 'NodeNotFound' as const,
    message: `The cluster has no Node ${node}.`,
  };
  return waiting(reason, `"${name}" waits for its turn. ${message}`, patiently);
}

/** False if the kubeconfig or its certificate is damaged, which only a restart of K3s repairs. */
async function hasUsableAccess(host: HostReader, node: K3sNode): Promise<boolean> {
  return nodeAccess(host, node).then(
    () => true,
    () => false,
  );
}

const patiently = { isExpected: true, blocks: false, after: 10_000 } as const;

function isSilentForLong(host: HostReader, memory: Silence): boolean {
  memory.apiSilence = continued(memory.apiSilence, host.monotonic());
  return isLong(memory.apiSilence);
}

/** Returns the span of a silence that a look at `now` prolongs or begins. */
function continued(before: Span | undefined, now: number): Span {
  return { first: before && now - before.last <= apart ? before.first : now, last: now };
}

function isLong(span: Span | undefined): boolean {
  return span !== undefined && span.last - span.first >= silence;
}

/**
 * Returns the step that records the restart without a turn; then `undefined`, until K3s was started again; from then on
 * a wait.
 */
export async function oncePerCause(
  host: HostReader,
  node: K3sNode,
  { name, digest }: Wish,
  why: string,
): Promise<Finding | undefined> {
  const { InvocationID: invocation } = await showUnit(host, unitName(node.role.k3s), ['InvocationID']);
  const { repaired } = await readSight(host, node.paths);
  if (repaired?.cause !== digest) {
    const change = { field: `"${name}" without a turn`, observed: undefined, desired: `because ${why}` };
    return step(change, (changing) =>
      remember(changing, node.paths, { repaired: { cause: digest, invocation } }),
    );
  }
  return repaired.invocation === invocation
    ? undefined
    : waiting(
        'TurnAwaited',
        `K3s was restarted once for "${name}" without a turn, because ${why}. That did not help, so another restart waits ` +
          `until this node can take turns again, or run: systemctl restart ${unitName(node.role.k3s)}.`,
        { endedBy: 'person', blocks: false, after: 30_000 },
      );
}
