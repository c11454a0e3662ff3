import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { freePort } from '../../lab/lab.ts';
import { rootWith, startSlipway } from '../../security/process.ts';

const settings = {
  cloud: 'static',
  role: 'agent',
  static: { computerName: 'vm', address: '127.0.0.1' },
};

test('the daemon exits when the network settings change, and removes its lock', async () => {
  const metrics = { listen: `127.0.0.1:${await freePort()}` };
  const root = await rootWith({ ...settings, metrics });
  const daemon = startSlipway(['run', '--root', root], ['ignore', 'pipe', 'ignore']);
  const ended = once(daemon, 'exit');
  const said = daemon.stdout ? text(daemon.stdout) : '';
  await expect.poll(() => existsSync(`${root}/run/slipway/status.json`) || daemon.exitCode).toBe(true);
  const elsewhere = { ...settings, metrics, network: { noProxy: ['mirror.example'] } };
  await writeFile(`${root}/etc/slipway/config.yaml`, JSON.stringify(elsewhere));
  expect(await ended).toEqual([0, null]);
  expect(existsSync(`${root}/run/slipway/lock`)).toBe(false);
  expect(await said).toContain('new settings for the network or the cloud, which need a new process');
});
