import { NodeError, toNodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import { type K3sNode, nodeTaints } from '../../node.ts';
import { hasReportedSinceStart } from './kubelet-heartbeat.ts';
import { type ApiNode, readOwnNode } from './own-node.ts';

export const nodeReadyId = 'Node/ready';

/**
 * Waits until the API reports this node as Ready and kubelet has reported since K3s was started. The wait has the
 * reason `NodeNotFound`, `NodeNotReady` or `ApiUnavailable`. Throws `ApiForbidden`, and `UnexpectedAnswer` if the API
 * answers with something other than a Node.
 */
export function nodeReady(node: K3sNode, needs: readonly string[]): Resource {
  return {
    id: nodeReadyId,
    summary: `wait until node ${node.name} is Ready`,
    condition: 'NodeReady',
    needs,
    check: (host) => readiness(host, node),
  };
}

/**
 * Returns an in-sync finding, with the version of kubelet, if the API reports this node as Ready and kubelet has
 * reported since K3s was started; otherwise a wait, as `nodeReady` does.
 */
export async function readiness(host: HostReader, node: K3sNode): Promise<Finding> {
  const answer = await getNode(host, node);
  return 'missing' in answer ? answer.missing : nodeReadiness(host, node, answer.found);
}

/**
 * Checks that the node has its wanted taints; returns no Resource if the node wants none. K3s sets taints only when the
 * node registers. A missing taint is therefore reported as `TaintNotApplied`, with the command that sets it, and does
 * not block. Until the API shows the Node, waits as `nodeReady` does.
 */
export function nodeTaintsApplied(node: K3sNode, needs: readonly string[]): readonly Resource[] {
  const wanted = nodeTaints(node);
  if (wanted.length === 0) {
    return [];
  }
  const check = async (host: HostReader) => {
    const answer = await getNode(host, node);
    return 'missing' in answer ? answer.missing : taintsOn(node, answer.found, wanted);
  };
  return [
    {
      id: 'Node/taints',
      summary: `check the taints ${wanted.join(', ')}`,
      condition: 'NodeReady',
      needs,
      check,
    },
  ];
}

/**
 * Returns the Node, or the finding that the Node is missing or the API does not answer. Throws `ApiForbidden` and
 * `UnexpectedAnswer`.
 */
async function getNode(host: HostReader, node: K3sNode): Promise<{ found: ApiNode } | { missing: Finding }> {
  try {
    const found = await readOwnNode(host, node);
    return found === undefined
      ? { missing: waiting('NodeNotFound', `The cluster has no node ${node.name} yet.`) }
      : { found };
  } catch (thrown) {
    const { reason, message } = toNodeError(thrown);
    if (reason !== 'ApiUnavailable') {
      throw thrown;
    }
    return { missing: waiting(reason, message) };
  }
}

async function nodeReadiness(host: HostReader, node: K3sNode, { status }: ApiNode): Promise<Finding> {
  const { name } = node;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (!(await hasReportedSinceStart(host, node, ready?.lastHeartbeatTime ?? undefined))) {
    return waiting('NodeNotReady', `Kubelet has not reported node ${name} since K3s was started.`, renewal);
  }
  const version = status?.nodeInfo?.kubeletVersion ?? undefined;
  if (ready?.status === 'True') {
    return inSync({
      message: `${name} is Ready, with ${version ?? 'an unknown version'}`,
      ...(version !== undefined && { version }),
    });
  }
  const why = ready
    ? `${ready.reason ?? 'no reason'}: ${ready.message ?? 'no message'}`
    : 'kubelet has not reported';
  return waiting('NodeNotReady', `Node ${name} is not Ready. ${why}`);
}

/** The milliseconds until the next check: kubelet renews its Node about a second after K3s reports READY=1. */
const renewal = { after: 2_000 };

function taintsOn({ name }: K3sNode, { spec }: ApiNode, wanted: readonly string[]): Finding {
  const present = (spec?.taints ?? []).map(
    ({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`,
  );
  const missing = wanted.filter((taint) => !present.includes(taint.replace('=:', ':')));
  if (missing.length === 0) {
    return inSync();
  }
  throw new NodeError(
    'TaintNotApplied',
    `Node ${name} registered without ${missing.join(', ')}. On the server: kubectl taint node ${name} ${missing.join(' ')}`,
    advisory,
  );
}
