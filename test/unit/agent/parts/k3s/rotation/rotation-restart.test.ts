import { expect, test } from 'vitest';
import { waiting } from '../../../../../../src/agent/engine/resource.ts';
import { type Gate, openGate, type Wish } from '../../../../../../src/agent/parts/k3s/gate.ts';
import { noNotice } from '../../../../../../src/agent/parts/k3s/rotation/notice.ts';
import { rotationRestart } from '../../../../../../src/agent/parts/k3s/rotation/rotation-restart.ts';
import { outcome, settle } from '../../../a-node.ts';
import { from, ofSeveral, rotatingServer, to, tokenFile } from './a-rotation.ts';

const restart = { file: 'systemctl', args: ['restart', '--no-block', 'k3s.service'] };
const open = { gate: openGate, notice: noNotice };

test.each([undefined, 'wanted', 'begun', 'done'] as const)(
  'rotationRestart does nothing in the state %s',
  async (state) => {
    const { host, node } = rotatingServer(state, { invocation: 'start-1' });
    expect(await rotationRestart(node, open, []).check(host)).toEqual({ state: 'InSync' });
  },
);

test('rotationRestart asks the gate with a wish that names the new token, and then restarts K3s', async () => {
  const { host, node, record, unit } = rotatingServer('rotated', { invocation: 'start-1' });
  host.on(restart, () => {
    unit.InvocationID = 'start-2';
    return '';
  });
  const wishes: Wish[] = [];
  const gate: Gate = async (_host, wish) => {
    wishes.push(wish);
    return undefined;
  };
  await settle(rotationRestart(node, { ...open, gate }, []), host, 1);
  expect(new Set(wishes.map((wish) => JSON.stringify(wish)))).toEqual(
    new Set([JSON.stringify({ kind: 'token', name: `token ${to}`, digest: to })]),
  );
  expect(host.lines()).toContain('run systemctl restart --no-block k3s.service');
  await settle(rotationRestart(node, open, []), host);
  expect(record()).toEqual({ format: 1, from, to, state: 'done' });
});

test('rotationRestart waits while K3s runs from a start by another unit', async () => {
  const { host, node } = rotatingServer('rotated', { invocation: 'start-1' });
  host.files.remove('/run/slipway-k3s');
  expect(await outcome(rotationRestart(node, open, []), host)).toContain('UnitAdopted');
});

test('rotationRestart waits for the gate', async () => {
  const { host, node } = rotatingServer('rotated', { invocation: 'start-1' });
  const gate = async () => waiting('TurnAwaited', 'not yet', { blocks: false });
  expect(await outcome(rotationRestart(node, { ...open, gate }, []), host)).toContain('TurnAwaited');
});

test('rotationRestart removes the notice without a restart if K3s was started after the rotation', async () => {
  const { host, node, record } = rotatingServer('rotated', { invocation: 'start-0' });
  let removed = 0;
  const notice = {
    ...noNotice,
    remove: async () => {
      removed += 1;
    },
  };
  await settle(rotationRestart(node, { gate: openGate, notice }, []), host);
  expect([record()?.state, removed]).toEqual(['done', 1]);
  expect(host.lines().filter((line) => line.startsWith('run'))).toEqual([]);
});

test('rotationRestart does nothing while K3s is not up', async () => {
  const { host, node, unit } = rotatingServer('rotated', { invocation: 'start-0' });
  unit.ActiveState = 'activating';
  expect(await outcome(rotationRestart(node, open, []), host)).toBe('InSync');
});

test.each([
  ['marlin\n', { format: 1, from, to, state: 'done' }],
  ['swordfish\n', undefined],
])(
  'rotationRestart on one of several servers keeps the notice, and ends or forgets the rotation after a start with %j',
  async (file, expected) => {
    const { host, node, record } = ofSeveral(rotatingServer('rotated', { invocation: 'start-0' }));
    host.files.write(tokenFile, file, 0o600);
    const notice = { ...noNotice, remove: () => Promise.reject(new Error('the notice was removed')) };
    await settle(rotationRestart(node, { gate: openGate, notice }, []), host);
    expect(record()).toEqual(expected);
  },
);
