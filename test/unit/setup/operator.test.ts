import { expect, test } from 'vitest';
import { nodePaths } from '../../../src/agent/paths.ts';
import { requireOutsideContainers, requireOwnShell, requireRoot } from '../../../src/setup/operator.ts';
import { memoryHost } from '../../lab/memory-host.ts';
import { aHost } from './a-host.ts';

test.each([
  ['/', 0, undefined],
  ['/image', 1000, undefined],
  ['/', 1000, 'PermissionDenied'],
])(
  'requireRoot rejects users other than root, unless --root names another directory: --root %s, user %i',
  (root, uid, reason) => {
    const attempt = () => requireRoot('install', root, { uid });
    if (reason === undefined) {
      expect(attempt).not.toThrow();
    } else {
      expect(attempt).toThrow(
        expect.objectContaining({ reason, message: expect.stringContaining('sudo slipway install') }),
      );
    }
  },
);

test.each([
  ['0::/user.slice/user-0.slice/session-1.scope\n', undefined],
  ['0::/system.slice/cloud-final.service\n', undefined],
  ['0::/system.slice/slipway.service\n', 'CommandFailed'],
  ['1:name=systemd:/system.slice/slipway.service\n0::/\n', 'CommandFailed'],
])(
  "requireOwnShell rejects only processes in the control group of the daemon's service: %j",
  async (content, reason) => {
    const host = memoryHost({ files: { '/proc/self/cgroup': content } });
    const attempt = requireOwnShell(host).then(
      () => undefined,
      (thrown) => thrown.reason,
    );
    expect(await attempt).toBe(reason);
  },
);

test.each([
  {
    name: 'a shell of the host',
    pid: 300,
    parent: 1,
    group: '/user.slice/user-0.slice/session-1.scope',
    reason: undefined,
  },
  { name: 'a container of another containerd', pid: 101, parent: 100, group: '/docker/1', reason: undefined },
  {
    name: 'a shell in a pod',
    pid: 300,
    parent: 1,
    group: '/kubepods.slice/kubepods-pod1.slice/cri-1.scope',
    reason: 'CommandFailed',
  },
  {
    name: 'a shell below a pod, in a separate group',
    pid: 300,
    parent: 201,
    group: '/',
    reason: 'CommandFailed',
  },
])(
  'requireOutsideContainers rejects only containers of K3s: $name',
  async ({ pid, parent, group, reason }) => {
    const host = aHost();
    for (const process of [pid, 'self']) {
      host.files.write(`/proc/${process}/stat`, `${pid} (slipway) S ${parent} 1 1`);
      host.files.write(`/proc/${process}/cgroup`, `0::${group}\n`);
    }
    const attempt = requireOutsideContainers(host, nodePaths('/')).then(
      () => undefined,
      (thrown) => thrown.reason,
    );
    expect(await attempt).toBe(reason);
  },
);

test('requireOutsideContainers rejects a pod with a separate process namespace', async () => {
  const host = aHost();
  host.files.write('/proc/self/stat', '7 (slipway) S 1 1 1');
  host.files.write('/proc/self/cgroup', '0::/kubepods.slice/kubepods-pod1.slice/cri-1.scope\n');
  await expect(requireOutsideContainers(host, nodePaths('/'))).rejects.toThrow(
    'from within a container of K3s',
  );
});
