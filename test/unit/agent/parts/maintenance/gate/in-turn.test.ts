import { beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../../../../../../src/agent/engine/resource.ts';
import { cordonStep } from '../../../../../../src/agent/parts/maintenance/drain/cordon.ts';
import { endStep } from '../../../../../../src/agent/parts/maintenance/gate/in-turn.ts';
import { type TurnState, turnKeys } from '../../../../../../src/agent/parts/maintenance/turn/annotations.ts';
import type { MemoryApi } from '../../../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aCluster, putNode } from '../../../a-cluster.ts';
import { aNode } from '../../../a-node.ts';

const node = aNode('agent');
const begun: TurnState = {
  nonce: '0011223344556677',
  digest: 'aaaaaaaaaaaa',
  wish: 'restart config',
  state: 'begun',
  message: '',
};

let host: MemoryHost;
let api: MemoryApi;

beforeEach(() => {
  host = memoryHost();
  api = aCluster(host);
  putNode(api, { metadata: { name: 'vm-1', annotations: { [turnKeys.state]: JSON.stringify(begun) } } });
});

async function carryOut(step: Finding | undefined): Promise<void> {
  if (step?.state !== 'Drifted') {
    throw new Error('there is no step');
  }
  await step.drift.remedy(host);
}

/** Returns the state of the turn, whether the Node is cordoned, and whether it has the mark of Slipway's cordon. */
function shown() {
  const { metadata, spec } = Object(api.objects.get('nodes', undefined, 'vm-1'));
  const { state } = JSON.parse(metadata.annotations[turnKeys.state]);
  return [state, Object(spec).unschedulable === true, 'slipway.dev/cordon' in metadata.annotations];
}

describe('the step that ends a turn', () => {
  test('removes the cordon of Slipway in the request that gives the turn up, since others may go on then', async () => {
    await carryOut(await cordonStep(host, node, begun.wish));
    expect(shown()).toEqual(['begun', true, true]);
    const before = host.journal.length;
    await carryOut(endStep(node, begun, 'gaveUp', 'default/web-0 is left'));
    expect(shown()).toEqual(['gaveUp', false, false]);
    expect(host.journal.length - before).toBe(1);
  });

  test('keeps the cordon of a person when the turn is given up', async () => {
    putNode(api, { ...api.objects.get('nodes', undefined, 'vm-1'), spec: { unschedulable: true } });
    await carryOut(endStep(node, begun, 'gaveUp', 'default/web-0 is left'));
    expect(shown()).toEqual(['gaveUp', true, false]);
  });
});
