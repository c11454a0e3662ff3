import { describe, expect, test } from 'vitest';
import { annotate, readAnnotations } from '../../../../../src/agent/parts/k3s/node-annotations.ts';
import { type CommandAnswer, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode } from '../../a-node.ts';

const kubelet = [
  ...['kubectl', '--kubeconfig', '/var/lib/rancher/k3s/agent/kubelet.kubeconfig'],
  ...['--request-timeout=10s', '--cache-dir=/dev/null'],
];

describe('readAnnotations', () => {
  const args = [...kubelet, 'get', 'node', 'vm-1', '-o', 'json'];
  const read = (answer: CommandAnswer) =>
    readAnnotations(memoryHost().on({ file: 'k3s', args }, answer), aNode('server'));

  test.each([
    ['{}', {}],
    ['{"metadata":{}}', {}],
    [
      '{"metadata":{"annotations":{"slipway.dev/role":"agent","slipway.dev/other":"x","k3s.io/hostname":"vm-1"}}}',
      { 'slipway.dev/role': 'agent' },
    ],
  ])('returns only the annotations by Slipway from the Node %s', async (printed, expected) => {
    expect(await read(printed)).toEqual(expected);
  });

  test.each<[string, CommandAnswer, string]>([
    [
      'an error',
      { exitCode: 1, stderr: 'first\nThe connection was refused\n' },
      'The connection was refused',
    ],
    ['nothing and fails', { exitCode: 127 }, 'ended with 127'],
    ['null', 'null', 'without a Node'],
    ['nothing', '', 'without a Node'],
  ])('throws ApiUnavailable if kubectl prints %s', async (_, answer, message) => {
    await expect(read(answer)).rejects.toMatchObject({
      reason: 'ApiUnavailable',
      message: expect.stringContaining(message),
    });
  });
});

test('annotate writes all annotations with one command', async () => {
  const args = [
    ...kubelet,
    'annotate',
    'node',
    'vm-1',
    'slipway.dev/role=agent',
    'slipway.dev/failing=',
    '--overwrite',
  ];
  const host = memoryHost().on({ file: 'k3s', args });
  await annotate(host, aNode('agent'), { 'slipway.dev/role': 'agent', 'slipway.dev/failing': '' });
  expect(host.unused()).toEqual([]);
});
