import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { nodeReady, nodeTaintsApplied } from '../../../../../src/agent/parts/k3s/node-ready.ts';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { memoryHost, type ResponseAnswer } from '../../../../lab/memory-host.ts';
import { aCluster, apiServer, putNode } from '../../a-cluster.ts';
import { aNode, outcome } from '../../a-node.ts';

const path = `${apiServer}/api/v1/nodes/vm-1`;

/** Returns a host whose API gives this answer to a request for the Node. */
function world(answer: ResponseAnswer) {
  const host = memoryHost();
  aCluster(host);
  return host.onGet(path, answer);
}

function apiNode(status: string, taints: readonly object[] = []): string {
  const ready = { type: 'Ready', status, reason: 'KubeletNotReady', message: 'cni plugin not initialized' };
  return JSON.stringify({
    spec: { taints },
    status: {
      conditions: [{ type: 'MemoryPressure', status: 'False' }, ready],
      nodeInfo: { kubeletVersion: 'v1.36.3+k3s1' },
    },
  });
}

describe('nodeReady', () => {
  test.each([
    ['the node is Ready', apiNode('True'), 'InSync', 'vm-1 is Ready, with v1.36.3+k3s1'],
    [
      'the node is not Ready',
      apiNode('False'),
      'Waiting NodeNotReady',
      'KubeletNotReady: cni plugin not initialized',
    ],
    ['the status of the node is Unknown', apiNode('Unknown'), 'Waiting NodeNotReady', 'KubeletNotReady'],
    ['kubelet has not reported', '{}', 'Waiting NodeNotReady', 'kubelet has not reported'],
    ['the node does not exist', { status: 404 }, 'Waiting NodeNotFound', 'no node vm-1'],
    [
      'the API does not answer',
      new NodeError('Unreachable', 'connect ECONNREFUSED'),
      'Waiting ApiUnavailable',
      `${apiServer} does not answer this node: connect ECONNREFUSED`,
    ],
    ['the API starts', { status: 503 }, 'Waiting ApiUnavailable', 'answers 503 (read /api/v1/nodes/vm-1)'],
  ])('reports $2 if $0', async (_name, answer, expected, message) => {
    const resource = nodeReady(aNode('agent'), []);
    expect(await outcome(resource, world(answer))).toBe(expected);
    expect((await resource.check(world(answer))) as object).toMatchObject({
      message: expect.stringContaining(message),
    });
  });

  test.each([
    ['nothing', '', 'it is not JSON'],
    ['null', 'null', 'the whole is of another kind'],
    ['a number', '5', 'the whole is of another kind'],
    ['truncated JSON', '{"state":', 'it is not JSON'],
    ['too many commas', `[${','.repeat(50_001)}]`, 'it has more than 50000 commas'],
    [
      'a condition without a status',
      '{"status":{"conditions":[{"type":"Ready"}]}}',
      'status.conditions.0.status is missing or of another kind',
    ],
  ])('throws UnexpectedAnswer if the API answers with %s', async (_name, answer, fault) => {
    const resource = nodeReady(aNode('agent'), []);
    expect(await outcome(resource, world(answer))).toBe('UnexpectedAnswer (time)');
    await expect(resource.check(world(answer))).rejects.toMatchObject({
      message: `The Kubernetes API answers /api/v1/nodes/vm-1 with something else: ${fault}. It is asked again.`,
      cause: expect.anything(),
    });
  });

  test('throws ApiForbidden if the API does not accept the certificate of kubelet', async () => {
    const resource = nodeReady(aNode('agent'), []);
    await expect(resource.check(world({ status: 401 }))).rejects.toMatchObject({
      reason: 'ApiForbidden',
      message: expect.stringContaining('A restart of K3s renews it.'),
    });
  });

  test('waits for the API before the first start of K3s', async () => {
    expect(await outcome(nodeReady(aNode('agent'), []), memoryHost())).toBe('Waiting ApiUnavailable');
  });

  test.each([
    ['server', 'kubelet.kubeconfig'],
    ['agent', 'k3s.yaml'],
  ] as const)('with the role %s, does not need %s', async (role, unused) => {
    const host = world(apiNode('True'));
    const { kubeconfig, kubeletKubeconfig } = nodePaths('/').k3s;
    host.files.remove([kubeconfig, kubeletKubeconfig].find((each) => each.endsWith(unused)) ?? '');
    expect(await outcome(nodeReady(aNode(role), []), host)).toBe('InSync');
  });
});

describe('nodeTaintsApplied', () => {
  const taint = { key: 'observability', value: 'true', effect: 'NoSchedule' };

  test.each([
    ['is present', [taint], 'InSync'],
    [
      'is present among others',
      [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }, taint],
      'InSync',
    ],
    ['is missing', [], 'TaintNotApplied (person, non-blocking)'],
    ['has another effect', [{ ...taint, effect: 'NoExecute' }], 'TaintNotApplied (person, non-blocking)'],
  ])('reports $2 if the taint $0', async (_name, taints, expected) => {
    const [resource] = nodeTaintsApplied(aNode('observability'), []);
    expect(resource && (await outcome(resource, world(apiNode('True', taints))))).toBe(expected);
  });

  test('reports a missing taint with the command that sets it', async () => {
    const [resource] = nodeTaintsApplied(aNode('observability'), []);
    await expect(resource?.check(world(apiNode('True')))).rejects.toThrow(
      'kubectl taint node vm-1 observability=true:NoSchedule',
    );
  });

  test('checks nothing if the node wants no taints', () => {
    expect(nodeTaintsApplied(aNode('agent'), [])).toEqual([]);
  });
});

test('nodeReady reports ApiUnavailable after one request of at most 10 seconds to a silent API', async () => {
  const asked: (number | undefined)[] = [];
  const host = world(({ timeout }) => {
    asked.push(timeout);
    return new NodeError('TimedOut', `${apiServer} did not answer within 10 s`);
  });
  expect(await outcome(nodeReady(aNode('agent'), []), host)).toBe('Waiting ApiUnavailable');
  expect(asked).toEqual([10_000]);
});

describe('nodeReady after a start of K3s', () => {
  const now = Date.UTC(2026, 10, 1, 12);
  const at = (secondsAgo: number) => new Date(now - secondsAgo * 1_000).toISOString();

  /**
   * Returns an agent whose K3s started 30 s ago by the monotonic clock. `heartbeat` and `lease` are ages in seconds by
   * the machine's clock; without `lease`, the node has no Lease.
   */
  function started(heartbeat: number, lease?: number) {
    const host = memoryHost({ now, files: { '/proc/uptime': '5030.25 9000.00\n' } }).on(
      { file: 'systemctl', args: /^show k3s-agent/ },
      'ExecMainStartTimestampMonotonic=5000250000\n',
    );
    const api = aCluster(host);
    const condition = { type: 'Ready', status: 'True', lastHeartbeatTime: at(heartbeat).replace('.000', '') };
    putNode(api, { status: { conditions: [condition] } });
    if (lease !== undefined) {
      const spec = { renewTime: at(lease) };
      const metadata = { name: 'vm-1' };
      const renewed = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
      api.objects.put('leases.coordination.k8s.io', 'kube-node-lease', renewed);
    }
    return host;
  }

  test.each([
    ['reported after the start', started(20), 'InSync'],
    ['reported in the same second as the start', started(30.5), 'InSync'],
    ['reported before the start', started(40, 40), 'Waiting NodeNotReady'],
    ['reported before the start, and has no Lease', started(40), 'Waiting NodeNotReady'],
    ['has only renewed its Lease, just after the start', started(40, 28), 'Waiting NodeNotReady'],
    ['reported after the start, before the clock was set forward', started(3_620, 5), 'InSync'],
    ['reported before the start and before the clock was set back', started(-3_600), 'Waiting NodeNotReady'],
    ['has a Lease from before the clock was set back', started(-3_600, -3_600), 'Waiting NodeNotReady'],
    ['has renewed its Lease since the clock was set back', started(-3_600, 5), 'InSync'],
  ])('reports $2 if kubelet $0', async (_name, host, expected) => {
    expect(await outcome(nodeReady(aNode('agent'), []), host)).toBe(expected);
  });

  test('in a container, trusts the status of the Node, because the container counts its own uptime', async () => {
    const host = started(40, 5);
    host.files.write('/proc/uptime', '60.00 50.00\n');
    expect(await outcome(nodeReady(aNode('agent'), []), host)).toBe('InSync');
  });

  test('trusts the status of the Node if systemd does not show the start of K3s', async () => {
    const host = started(40).on({ file: 'systemctl', args: /^show/ }, '\n');
    expect(await outcome(nodeReady(aNode('agent'), []), host)).toBe('InSync');
  });
});
