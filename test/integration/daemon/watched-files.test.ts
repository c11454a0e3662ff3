import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { requestBackup } from '../../../src/agent/parts/backup/index.ts';
import { nodePaths } from '../../../src/agent/paths.ts';
import { rootWith, startSlipway } from '../../security/process.ts';

const settings = {
  cloud: 'static',
  role: 'agent',
  static: { computerName: 'vm', address: '127.0.0.1' },
  network: { proxy: 'http://127.0.0.1:1' },
};

test.each([
  ['a request for a backup', (root: string) => requestBackup(nodeHost({ root }), nodePaths(root))],
  [
    'a hold',
    async (root: string) => {
      const { slipway } = nodePaths(root);
      await nodeHost({ root }).writeFile(slipway.hold, '{}\n', { mode: 0o600 });
    },
  ],
])('the daemon looks at once after %s', async (_, change) => {
  const root = await rootWith(settings);
  const daemon = startSlipway(['run', '--root', root], ['ignore', 'pipe', 'ignore']);
  let said = '';
  daemon.stdout?.on('data', (chunk) => (said += chunk));
  await expect.poll(() => existsSync(`${root}/run/slipway/status.json`) || daemon.exitCode).toBe(true);
  expect(said).not.toContain('a change of the settings');
  await change(root);
  await expect.poll(() => said, { timeout: 10_000 }).toContain('a change of the settings');
});
