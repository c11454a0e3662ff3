import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { nodeReady, nodeTaintsApplied } from '../../../../../src/agent/parts/k3s/node-ready.ts';
import { type CommandAnswer, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, outcome } from '../../a-node.ts';

const args = [
  ...['kubectl', '--kubeconfig', '/var/lib/rancher/k3s/agent/kubelet.kubeconfig'],
  ...['--request-timeout=10s', '--cache-dir=/dev/null'],
  ...['get', 'node', 'vm-1', '-o', 'json'],
];

function world(answer: CommandAnswer) {
  return memoryHost().on({ file: '/usr/local/bin/k3s', args }, answer);
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
    [
      'the node does not exist',
      { exitCode: 1, stderr: 'Error from server (NotFound): nodes "vm-1" not found\n' },
      'Waiting NodeNotFound',
      'no node vm-1',
    ],
    [
      'the API does not answer',
      { exitCode: 1, stderr: 'The connection to the server 127.0.0.1:6443 was refused' },
      'Waiting ApiUnavailable',
      'was refused',
    ],
    ['kubectl is missing', { exitCode: 127 }, 'Waiting ApiUnavailable', 'kubectl ended with 127'],
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
    ['a warning before the Node', 'Warning: old\n{}', 'it is not JSON'],
    ['truncated JSON', '{"state":', 'it is not JSON'],
    ['too many commas', `[${','.repeat(50_000)}]`, 'it has more than 50000 commas'],
    [
      'a condition without a status',
      '{"status":{"conditions":[{"type":"Ready"}]}}',
      'status.conditions.0.status is missing or of another kind',
    ],
  ])('throws UnexpectedAnswer if kubectl prints %s', async (_name, printed, fault) => {
    const resource = nodeReady(aNode('agent'), []);
    expect(await outcome(resource, world(printed))).toBe('UnexpectedAnswer (time)');
    await expect(resource.check(world(printed))).rejects.toMatchObject({
      message: `kubectl get node printed something else than a Node as JSON: ${fault}.`,
      cause: expect.anything(),
    });
  });

  test('uses the admin kubeconfig on a server', async () => {
    const host = memoryHost().on(
      { file: 'k3s', args: /^kubectl --kubeconfig \/etc\/rancher\/k3s\/k3s\.yaml / },
      apiNode('True'),
    );
    expect(await outcome(nodeReady(aNode('server'), []), host)).toBe('InSync');
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

test('nodeReady reports ApiUnavailable after one timeout of 12 seconds if the API does not answer', async () => {
  const asked: (number | undefined)[] = [];
  const host = world(({ timeout }) => {
    asked.push(timeout);
    throw new NodeError('CommandTimedOut', 'k3s kubectl get node did not end within 12 s');
  });
  const found = await outcome(nodeReady(aNode('agent'), []), host);
  expect(found).toContain('ApiUnavailable');
  expect(asked).toEqual([12_000]);
});

describe('nodeReady after a start of K3s', () => {
  const now = Date.UTC(2026, 10, 1, 12);
  const at = (secondsAgo: number) => new Date(now - secondsAgo * 1_000).toISOString();

  /**
   * Returns an agent whose K3s started 30 s ago by the monotonic clock. `heartbeat` and `lease` are ages in seconds by
   * the machine's clock; without `lease`, the node has no Lease.
   */
  function started(heartbeat: number, lease?: number) {
    const host = memoryHost({ now, files: { '/proc/uptime': '5030.25 9000.00\n' } })
      .on({ file: 'systemctl', args: /^show k3s-agent/ }, 'ExecMainStartTimestampMonotonic=5000250000\n')
      .on({ file: 'k3s', args: / get lease vm-1 --namespace kube-node-lease / }, () =>
        lease === undefined
          ? { exitCode: 1, stderr: 'NotFound' }
          : JSON.stringify({ spec: { renewTime: at(lease) } }),
      );
    const condition = { type: 'Ready', status: 'True', lastHeartbeatTime: at(heartbeat).replace('.000', '') };
    return host.on(
      { file: 'k3s', args: / get node vm-1 / },
      JSON.stringify({ status: { conditions: [condition] } }),
    );
  }

  test.each([
    ['reported after the start', started(20), 'InSync'],
    ['reported in the same second as the start', started(30.5), 'InSync'],
    ['reported before the start', started(40, 40), 'Waiting NodeNotReady'],
    ['reported before the start, and has no Lease', started(40), 'Waiting NodeNotReady'],
    ['has only renewed its Lease, just after the start', started(40, 28), 'Waiting NodeNotReady'],
    ['reported after the start, before the clock was set forward', started(3_620, 5), 'InSync'],
    ['reported after the start, before the clock was set back', started(-3_600), 'InSync'],
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
