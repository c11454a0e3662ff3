import { expect, test } from 'vitest';
import { upgradeUndone } from '../../../../../../src/agent/parts/k3s/index.ts';
import { patch, recorded, recordPath, upgrading, wanting } from './an-upgrade.ts';

const why = 'K3s ended 3 times after its start.';

test('upgradeUndone returns the upgrade that was rolled back', async () => {
  const host = upgrading({ [recordPath]: recorded({ state: 'rolledBack', why }) });
  const undone = await upgradeUndone(host, wanting(patch));
  expect(undone).toEqual({ wish: `upgrade ${patch}`, digest: expect.stringMatching(/^[0-9a-f]{12}$/), why });
});

test.each([
  ['has begun', recorded(), patch],
  ['is done', recorded({ state: 'done' }), patch],
  ['was given up without going back', recorded({ state: 'gaveUp' }), patch],
  ['is no longer wanted', recorded({ state: 'rolledBack', why }), 'v1.36.9+k3s1'],
])('upgradeUndone does not return an upgrade that %s', async (_, record, version) => {
  expect(await upgradeUndone(upgrading({ [recordPath]: record }), wanting(version))).toBeUndefined();
});

test('upgradeUndone returns nothing on a node that was never upgraded', async () => {
  expect(await upgradeUndone(upgrading({}), wanting(patch))).toBeUndefined();
});
