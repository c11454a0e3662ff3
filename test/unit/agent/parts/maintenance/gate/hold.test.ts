import { describe, expect, test } from 'vitest';
import { inSync, type Resource } from '../../../../../../src/agent/engine/resource.ts';
import {
  hold,
  holdOf,
  holdReported,
  release,
  unlessHeld,
} from '../../../../../../src/agent/parts/maintenance/gate/hold.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, outcome } from '../../../a-node.ts';

const paths = nodePaths('/');
const free = aNode('agent');
const tagged = aNode('agent', { settings: { maintenance: { hold: 'by tag' } } });

describe('holdOf', () => {
  test('finds no hold on a node without one', async () => {
    expect(await holdOf(memoryHost(), free)).toBeUndefined();
  });

  test('finds a hold in the settings, and how to end it', async () => {
    expect(await holdOf(memoryHost(), tagged)).toEqual({
      reason: 'by tag',
      release: 'removing the tag k3s-hold or the setting maintenance.hold',
    });
  });

  test('prefers a hold by the command slipway hold to one in the settings', async () => {
    const host = memoryHost();
    await hold(host, paths, 'a disk\nis replaced');
    const { reason, release: end } = (await holdOf(host, tagged)) ?? {};
    expect(reason).toMatch(/^a disk\\nis replaced$/);
    expect(end).toBe('slipway hold --release');
  });

  test('finds no hold after slipway hold --release', async () => {
    const host = memoryHost();
    await hold(host, paths, 'x');
    await release(host, paths);
    expect(await holdOf(host, free)).toBeUndefined();
  });

  test('treats a damaged file as a hold', async () => {
    const host = memoryHost({ files: { [paths.slipway.hold]: '{"reas' } });
    expect((await holdOf(host, free))?.reason).toBe('/etc/slipway/hold.json is damaged');
  });

  test('shows at most 200 characters of a reason', async () => {
    const host = memoryHost();
    await hold(host, paths, 'x'.repeat(5_000));
    expect((await holdOf(host, free))?.reason).toBe('x'.repeat(200));
  });
});

describe('unlessHeld', () => {
  const drifted: Resource = {
    id: 'a',
    summary: 'start it',
    condition: 'K3sRunning',
    check: async () => ({
      state: 'Drifted',
      drift: { changes: [{ field: 'k3s', observed: 'inactive', desired: 'active' }], remedy: async () => {} },
    }),
  };

  test.each([
    ['changes a drifted Resource on a free node', free, drifted, 'Drifted k3s'],
    ['makes a drifted Resource wait on a held node', tagged, drifted, 'Waiting Held'],
    [
      'leaves a Resource in sync on a held node',
      tagged,
      { ...drifted, check: async () => inSync() },
      'InSync',
    ],
  ] as const)('%s', async (_, node, resource, expected) => {
    expect(await outcome(unlessHeld(node, resource), memoryHost())).toBe(expected);
  });
});

test('holdReported shows the hold and how to end it, without blocking', async () => {
  expect(await holdReported(free).check(memoryHost())).toEqual({ state: 'InSync' });
  expect(await holdReported(tagged).check(memoryHost())).toMatchObject({
    state: 'Waiting',
    blocks: false,
    endedBy: 'person',
    message: expect.stringMatching(/held: by tag\. .*removing the tag k3s-hold/),
  });
});
