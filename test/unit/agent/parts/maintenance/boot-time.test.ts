import { expect, test } from 'vitest';
import { bootTime } from '../../../../../src/agent/parts/maintenance/boot-time.ts';
import { kernelClock } from '../../../../lab/kernel-clock.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';

test('bootTime keeps counting when the clock is set, and starts at zero after a reboot', async () => {
  const host = memoryHost();
  const kernel = kernelClock(host, 5);
  const first = await bootTime(host);
  expect(first).toEqual({ boot: '00000001111142228333444444444444', seconds: 5 });
  host.advance(2_500);
  host.setClock(0);
  expect(await bootTime(host)).toEqual({ ...first, seconds: 7.5 });
  kernel.reboot();
  expect(await bootTime(host)).toEqual({ boot: '00000002111142228333444444444444', seconds: 0 });
});

test.each([
  ['without a boot id', { '/proc/uptime': '12.34 56.78\n' }],
  ['without an uptime', { '/proc/sys/kernel/random/boot_id': '6f1c9a54-7f0e-4c0c-9d5b-0a4f4c3c0f11\n' }],
])('bootTime fails with FileSystemError %s', async (_, files) => {
  await expect(bootTime(memoryHost({ files }))).rejects.toMatchObject({ reason: 'FileSystemError' });
});
