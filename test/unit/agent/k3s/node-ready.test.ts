import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../src/agent/core/errors.ts';
import { nodeReady, nodeTaintsApplied } from '../../../../src/agent/k3s/node-ready.ts';
import { type CommandAnswer, memoryHost } from '../../../lab/memory-host.ts';
import { aNode, outcome } from './a-node.ts';

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
    ['it is', apiNode('True'), 'InSync', 'vm-1 is Ready, with v1.36.3+k3s1'],
    ['it is not', apiNode('False'), 'Waiting NodeNotReady', 'KubeletNotReady: cni plugin not initialized'],
    ['nobody knows', apiNode('Unknown'), 'Waiting NodeNotReady', 'KubeletNotReady'],
    ['kubelet has not reported', '{}', 'Waiting NodeNotReady', 'kubelet has not reported'],
    [
      'it is not there',
      { exitCode: 1, stderr: 'Error from server (NotFound): nodes "vm-1" not found\n' },
      'Waiting NodeNotFound',
      'no node vm-1',
    ],
    [
      'the API is away',
      { exitCode: 1, stderr: 'The connection to the server 127.0.0.1:6443 was refused' },
      'Waiting ApiUnavailable',
      'was refused',
    ],
    ['kubectl is away', { exitCode: 127 }, 'Waiting ApiUnavailable', 'kubectl ended with 127'],
  ])('%s', async (_name, answer, expected, message) => {
    const resource = nodeReady(aNode('agent'), []);
    expect(await outcome(resource, world(answer))).toBe(expected);
    expect((await resource.check(world(answer))) as object).toMatchObject({
      message: expect.stringContaining(message),
    });
  });

  test.each(['', 'null', '5', 'Warning: old\n{}', '{"state":'])('%j is no Node', async (printed) => {
    expect(await outcome(nodeReady(aNode('agent'), []), world(printed))).toBe('UnexpectedAnswer soon');
  });

  test('a server asks as admin', async () => {
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
    ['is there', [taint], 'InSync'],
    [
      'is there among others',
      [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }, taint],
      'InSync',
    ],
    ['is missing', [], 'TaintNotApplied slow, blocks nobody'],
    ['has another effect', [{ ...taint, effect: 'NoExecute' }], 'TaintNotApplied slow, blocks nobody'],
  ])('the taint %s', async (_name, taints, expected) => {
    const [resource] = nodeTaintsApplied(aNode('observability'), []);
    expect(resource && (await outcome(resource, world(apiNode('True', taints))))).toBe(expected);
  });

  test('the message has the command', async () => {
    const [resource] = nodeTaintsApplied(aNode('observability'), []);
    await expect(resource?.check(world(apiNode('True')))).rejects.toThrow(
      'kubectl taint node vm-1 observability=true:NoSchedule',
    );
  });

  test('nothing is looked for where no taint is wanted', () => {
    expect(nodeTaintsApplied(aNode('agent'), [])).toEqual([]);
  });
});

test('a server that is blackholed is ApiUnavailable, after one bound for the whole question', async () => {
  const asked: (number | undefined)[] = [];
  const host = world(({ timeout }) => {
    asked.push(timeout);
    throw new NodeError('CommandTimedOut', 'k3s kubectl get node did not end within 12 s');
  });
  const found = await outcome(nodeReady(aNode('agent'), []), host);
  expect(found).toContain('ApiUnavailable');
  expect(asked).toEqual([12_000]);
});
