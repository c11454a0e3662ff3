import { expect, test } from 'vitest';
import { mayUpgrade } from '../../../../../../src/agent/parts/k3s/upgrade/allowed.ts';
import { old, patch, recorded, recordPath, upgrading, wanting } from './an-upgrade.ts';

test.each([
  [
    'It ended three times.',
    `${patch} is tried again once k3s.version, k3s.releaseUrl or k3s.config changes.`,
  ],
  [
    'It ended once. Correct that key in k3s.config.',
    `Then ${patch} is tried again. A change of k3s.version or k3s.releaseUrl has the same effect.`,
  ],
])('mayUpgrade names each setting only once after a release was given up: %s', async (why, advice) => {
  const host = upgrading({ [recordPath]: recorded({ state: 'rolledBack', why }) });
  await expect(mayUpgrade(host, wanting(patch), old)).rejects.toMatchObject({
    reason: 'VersionGivenUp',
    message: `This node went back from K3s ${patch} to ${old}: ${why} ${advice}`,
  });
});
