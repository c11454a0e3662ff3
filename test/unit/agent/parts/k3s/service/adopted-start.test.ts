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
  ['of another unit', 'active', 'running', {}, foreign],
  ["of Slipway's unit", 'active', 'running', stamped('f0f0f0f0f0f0f0f0'), undefined],
  [
    "of Slipway's unit, which could not stamp it",
    'active',
    'running',
    { '/run/slipway-k3s/x': '' },
    undefined,
  ],
  ['that begins under another unit', 'activating', 'start', {}, foreign],
  ['that is over', 'inactive', 'dead', {}, undefined],
  [
    'that has ended, its runtime directory with it, and is repeated',
    'activating',
    'auto-restart',
    {},
    undefined,
  ],
])('a start %s', async (_name, active, sub, files, expected) => {
  const shown = `ActiveState=${active}\nSubState=${sub}\nInvocationID=f0f0f0f0f0f0f0f0\n`;
  const host = memoryHost({ files }).on({ file: 'systemctl', args: /^show k3s.service/ }, shown);
  expect(await foreignStart(host, aNode('server'))).toBe(expected);
});
