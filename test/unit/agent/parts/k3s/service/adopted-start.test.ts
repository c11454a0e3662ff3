import { expect, test } from 'vitest';
import { foreignStart } from '../../../../../../src/agent/parts/k3s/service/adopted-start.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode } from '../../../a-node.ts';

const { stamp } = nodePaths('/').k3s;
const foreign = 'k3s.service@f0f0f0f0f0f0';

function stamped(invocationId: string) {
  return { [stamp]: JSON.stringify({ invocationId, inputs: {} }) };
}

test.each([
  { name: 'by another unit', active: 'active', sub: 'running', files: {}, expected: foreign },
  {
    name: "by Slipway's unit",
    active: 'active',
    sub: 'running',
    files: stamped('f0f0f0f0f0f0f0f0'),
    expected: undefined,
  },
  {
    name: "by Slipway's unit without a stamp",
    active: 'active',
    sub: 'running',
    files: { '/run/slipway-k3s/x': '' },
    expected: undefined,
  },
  {
    name: 'in progress by another unit',
    active: 'activating',
    sub: 'start',
    files: {},
    expected: foreign,
  },
  {
    name: "that has just begun, perhaps by Slipway's unit",
    active: 'activating',
    sub: 'start-pre',
    files: {},
    expected: undefined,
  },
  { name: 'that has ended', active: 'inactive', sub: 'dead', files: {}, expected: undefined },
  {
    name: 'that has ended and is about to be repeated',
    active: 'activating',
    sub: 'auto-restart',
    files: {},
    expected: undefined,
  },
])('foreignStart returns $expected for a start $name', async ({ active, sub, files, expected }) => {
  const shown = `ActiveState=${active}\nSubState=${sub}\nInvocationID=f0f0f0f0f0f0f0f0\n`;
  const host = memoryHost({ files }).on({ file: 'systemctl', args: /^show k3s.service/ }, shown);
  expect(await foreignStart(host, aNode('server'))).toBe(expected);
});
