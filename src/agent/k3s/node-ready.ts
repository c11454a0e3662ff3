import { NodeError } from '../core/errors.ts';
import type { HostReader } from '../core/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../core/resource.ts';
import { probe } from '../resources/probe.ts';
import { type K3sNode, nodeKubeconfig, nodeTaints } from './node.ts';

export const nodeReadyId = 'Node/ready';

/** How soon a node that is not there yet is looked at again, milliseconds. */
const soon = 5_000;

/** The API says this node is Ready: `NodeNotFound`, `NodeNotReady` and `ApiUnavailable` until it does. */
export function nodeReady(node: K3sNode, needs: readonly string[]): Resource {
  return probe({
    id: nodeReadyId,
    summary: `wait until node ${node.name} is Ready`,
    condition: 'NodeReady',
    needs,
    look: async (host) => {
      const found = await getNode(host, node);
      return 'state' in found ? found : readiness(node, found);
    },
  });
}

/**
 * The taints this node should have are on it. K3s sets them when the node registers and never again, so a missing one
 * is `TaintNotApplied` with the command for it; nothing waits for that. None where this node wants no taints.
 */
export function nodeTaintsApplied(node: K3sNode, needs: readonly string[]): readonly Resource[] {
  const wanted = nodeTaints(node);
  if (wanted.length === 0) return [];
  const look = async (host: HostReader) => {
    const found = await getNode(host, node);
    return 'state' in found ? found : taintsOn(node, found, wanted);
  };
  return [
    probe({
      id: 'Node/taints',
      summary: `look for ${wanted.join(', ')}`,
      condition: 'NodeReady',
      needs,
      look,
    }),
  ];
}

/** The parts of a Node that are read here (Kubernetes API, core/v1). */
interface ApiNode {
  readonly spec?: { readonly taints?: readonly Taint[] };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly nodeInfo?: { readonly kubeletVersion?: string };
  };
}

interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

async function getNode(host: HostReader, node: K3sNode): Promise<ApiNode | Finding> {
  const kubeconfig = nodeKubeconfig(node);
  const args = [
    'kubectl',
    '--kubeconfig',
    kubeconfig,
    'get',
    'node',
    node.name,
    '-o',
    'json',
    '--request-timeout=10s',
  ];
  const { exitCode, stdout, stderr } = await host.query({ file: node.paths.k3s.binary, args });
  if (exitCode === 0) return JSON.parse(stdout);
  if (/\(NotFound\)|not found$/m.test(stderr)) {
    return waiting('NodeNotFound', `The cluster has no node ${node.name} yet.`, soon);
  }
  const why = stderr.trim().split('\n').at(-1) || `kubectl ended with ${exitCode}`;
  return waiting('ApiUnavailable', `The Kubernetes API does not answer this node: ${why}`, soon);
}

function readiness({ name }: K3sNode, { status }: ApiNode): Finding {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const version = status?.nodeInfo?.kubeletVersion ?? 'an unknown version';
  if (ready?.status === 'True') return inSync({ message: `${name} is Ready, with ${version}` });
  const why = ready
    ? `${ready.reason ?? 'no reason'}: ${ready.message ?? 'no message'}`
    : 'kubelet has not reported';
  return waiting('NodeNotReady', `Node ${name} is not Ready. ${why}`, soon);
}

function taintsOn({ name }: K3sNode, { spec }: ApiNode, wanted: readonly string[]): Finding {
  const present = (spec?.taints ?? []).map(
    ({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`,
  );
  const missing = wanted.filter((taint) => !present.includes(taint.replace('=:', ':')));
  if (missing.length === 0) return inSync();
  throw new NodeError(
    'TaintNotApplied',
    `Node ${name} registered without ${missing.join(', ')}. On the server: kubectl taint node ${name} ${missing.join(' ')}`,
    { retry: { pace: 'slow' }, blocks: false },
  );
}
