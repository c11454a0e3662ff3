import { expect, test } from 'vitest';
import { maintenanceGate } from '../../../../../../src/agent/parts/maintenance/gate/gate.ts';
import type { Undone } from '../../../../../../src/agent/parts/maintenance/gate/in-turn.ts';
import { turnEnded } from '../../../../../../src/agent/parts/maintenance/gate/turn-ended.ts';
import {
  readTurn,
  type TurnState,
  turnKeys,
} from '../../../../../../src/agent/parts/maintenance/turn/annotations.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aCluster, putNode } from '../../../a-cluster.ts';
import { aNode } from '../../../a-node.ts';

const node = aNode('agent');
const wentBack: Undone = {
  wish: 'upgrade v1.36.4+k3s1',
  digest: 'bbbbbbbbbbbb',
  why: 'K3s ended 3 times after its start.',
};
const done: TurnState = {
  nonce: '0011223344556677',
  digest: 'aaaaaaaaaaaa',
  wish: 'reboot',
  state: 'done',
  message: '',
};

/** Makes a pass on a node that has undone a change. Returns its finding, and what the Node says afterwards. */
async function pass(before: TurnState | undefined, undone: Undone | undefined) {
  const host = memoryHost();
  const api = aCluster(host);
  const annotations = before ? { [turnKeys.state]: JSON.stringify(before) } : {};
  putNode(api, { metadata: { name: 'vm-1', annotations } });
  const ports = {
    gate: maintenanceGate(node),
    takenBack: async () => undefined,
    undone: async () => undone,
  };
  const finding = await turnEnded(node, ports, []).check(host);
  if (finding.state === 'Drifted') {
    await finding.drift.remedy(host);
  }
  const shown = Object(api.objects.get('nodes', undefined, 'vm-1')).metadata.annotations;
  return { state: finding.state, says: readTurn(shown).state };
}

test('a node whose Node was created again reports what it has undone', async () => {
  const { wish, digest, why: message } = wentBack;
  const says = { nonce: digest, digest, wish, state: 'rolledBack', message };
  expect(await pass(undefined, wentBack)).toEqual({ state: 'Drifted', says });
});

test('a node that has undone nothing reports nothing', async () => {
  expect(await pass(undefined, undefined)).toEqual({ state: 'InSync', says: undefined });
});

test('a node whose Node says how its last turn ended does not report an earlier one', async () => {
  expect(await pass(done, wentBack)).toEqual({ state: 'InSync', says: done });
});
