import { expect, test } from 'vitest';
import { requireOwnShell, requireRoot } from '../../../src/setup/person.ts';
import { memoryHost } from '../../lab/memory-host.ts';

test.each([
  ['/', 0, undefined],
  ['/image', 1000, undefined],
  ['/', 1000, 'PermissionDenied'],
])('below %s as user %i: %s', (root, uid, reason) => {
  const attempt = () => requireRoot('install', root, uid);
  if (reason === undefined) expect(attempt).not.toThrow();
  else
    expect(attempt).toThrow(
      expect.objectContaining({ reason, message: expect.stringContaining('sudo slipway install') }),
    );
});

test.each([
  ['0::/user.slice/user-0.slice/session-1.scope\n', undefined],
  ['0::/system.slice/cloud-final.service\n', undefined],
  ['0::/system.slice/slipway.service\n', 'CommandFailed'],
  ['1:name=systemd:/system.slice/slipway.service\n0::/\n', 'CommandFailed'],
])('in the control group %j: %s', async (content, reason) => {
  const host = memoryHost({ files: { '/proc/self/cgroup': content } });
  const attempt = requireOwnShell(host).then(
    () => undefined,
    (thrown) => thrown.reason,
  );
  expect(await attempt).toBe(reason);
});
