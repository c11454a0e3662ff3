import { describe, expect, test } from 'vitest';
import type { Resource } from '../../../src/agent/engine/resource.ts';
import { k3sStopped } from '../../../src/agent/parts/k3s/teardown/teardown.ts';
import { nodePaths } from '../../../src/agent/paths.ts';
import { rehearse } from '../../../src/setup/perform.ts';
import { daemonStopped, k3sUninstallSteps, uninstallSteps } from '../../../src/setup/uninstall-steps.ts';
import { aHost, told } from './a-host.ts';

const paths = nodePaths('/');
const provider = '/var/lib/rancher/credentialprovider/config.yaml';

function uninstall(changes: { k3s?: boolean; purge?: boolean }): readonly Resource[] {
  const { k3s = false, purge = false } = changes;
  return [daemonStopped(paths, true), ...uninstallSteps(paths, { k3s, purge, keepsK3s: !k3s })];
}

const withoutK3s = [
  'run systemctl disable --now slipway.service',
  `remove ${provider}`,
  'remove /var/lib/slipway/logins.json',
  'remove /run/slipway/registry-logins.json',
  'remove /var/lib/slipway/credential-provider.yaml',
  'remove /etc/systemd/system/slipway.service',
  'remove /etc/systemd/system/slipway-directories.service',
  'remove /etc/tmpfiles.d/slipway.conf',
  'remove /etc/slipway/config.yaml.example',
  'remove /usr/local/bin/k3s-killall.sh',
  'remove /usr/local/bin/k3s-uninstall.sh',
];

const killing = [
  `run sh -c 'kill -KILL "$@" || :' sh 200 201 202 203`,
  "run umount --lazy -- /run/netns/cni-1 /var/lib/kubelet/pods/1/volumes/nfs '/var/lib/kubelet/pods/1/volumes/a volume' /run/k3s/containerd/io.containerd.grpc.v1.cri/sandboxes/1/shm",
  'remove /run/netns/cni-1',
  'run ip link delete veth1',
  'run ip link delete cni0',
  'run ip link delete flannel.1',
  'remove /var/lib/cni',
  'write /run/slipway-packet-filter.iptables 0600',
  'run iptables-restore --wait --noflush /run/slipway-packet-filter.iptables',
  'remove /run/slipway-packet-filter.iptables',
];

const k3sGone = [
  `remove ${provider}`,
  'remove /var/lib/slipway/logins.json',
  'remove /run/slipway/registry-logins.json',
  'remove /var/lib/slipway/credential-provider.yaml',
  'run systemctl disable --now k3s.service',
  ...killing,
  'remove /etc/systemd/system/k3s.service',
  'remove /usr/local/bin/crictl',
  'remove /usr/local/bin/ctr',
  'remove /usr/local/bin/k3s-killall.sh',
  'remove /usr/local/bin/k3s-uninstall.sh',
  'remove /usr/local/bin/k3s',
  'remove /etc/rancher/k3s',
  'remove /etc/modules-load.d/slipway-k3s.conf',
  'remove /etc/sysctl.d/90-slipway-k3s.conf',
  'remove /var/lib/rancher/k3s',
  'remove /var/lib/kubelet',
  'remove /run/flannel',
  'remove /var/lib/rancher/credentialprovider',
];

const table: readonly (readonly [string, readonly Resource[], readonly string[]])[] = [
  ['uninstall', uninstall({}), [...withoutK3s, 'remove /usr/local/bin/slipway']],
  [
    'uninstall --purge',
    uninstall({ purge: true }),
    [...withoutK3s, 'remove /etc/slipway', 'remove /run/slipway', 'remove /usr/local/bin/slipway'],
  ],
  [
    'uninstall --k3s --purge',
    uninstall({ k3s: true, purge: true }),
    [
      'run systemctl disable --now slipway.service',
      ...k3sGone,
      ...withoutK3s.filter(
        (line) => /slipway(-directories)?\.(service$|conf)|example/.test(line) && !line.startsWith('run'),
      ),
      ...['/var/lib/slipway', '/etc/slipway', '/run/slipway', '/usr/local/bin/slipway'].map(
        (path) => `remove ${path}`,
      ),
    ],
  ],
  [
    'k3s-uninstall.sh',
    [daemonStopped(paths, true), ...k3sUninstallSteps(paths)],
    ['run systemctl disable --now slipway.service', ...k3sGone],
  ],
  [
    'k3s-killall.sh',
    [daemonStopped(paths, false), ...k3sStopped(paths, false)],
    ['run systemctl stop slipway.service', 'run systemctl stop k3s.service', ...killing],
  ],
];

describe.each(table)('%s', (_, steps, expected) => {
  test('makes exactly the expected changes, in order', async () => {
    const host = aHost();
    expect((await told(steps, host)).filter((line) => line.startsWith('!'))).toEqual([]);
    expect(host.lines()).toEqual(expected);
  });

  test('changes nothing when repeated', async () => {
    const host = aHost();
    await told(steps, host);
    const { length } = host.journal;
    expect(await told(steps, host)).toEqual([]);
    expect(host.journal.length).toBe(length);
  });

  test('reaches the same state when repeated after a crash at any mutation', async () => {
    const whole = aHost();
    await told(steps, whole);
    for (let mutation = 1; mutation <= expected.length; mutation += 1) {
      const host = aHost().crashBefore(mutation);
      await told(steps, host).catch(() => undefined);
      host.restart();
      expect((await told(steps, host)).filter((line) => line.startsWith('!'))).toEqual([]);
      expect(host.files.snapshot()).toEqual(whole.files.snapshot());
    }
  });

  test('has no two steps with the same id', () => {
    const ids = steps.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });

  test('changes nothing in a dry run', async () => {
    const host = aHost();
    const before = host.files.snapshot();
    expect(await rehearse(steps, host)).toContain('Nothing was changed.');
    expect(host.files.snapshot()).toEqual(before);
    expect(host.lines()).toEqual([]);
  });
});

test('an uninstall of Slipway or K3s removes the configuration of the credential provider before any other file', async () => {
  for (const [name, steps] of table) {
    const host = aHost();
    await told(steps, host);
    const [first] = host.lines().filter((line) => line.startsWith('remove'));
    if (name !== 'k3s-killall.sh') {
      expect(first).toBe(`remove ${provider}`);
    }
  }
});

describe('an uninstall with --k3s --purge', () => {
  test.each([
    '/etc/rancher/node/password',
    '/etc/systemd/system/k3s.service.d/mine.conf',
    '/usr/local/bin/kubectl',
    '/usr/local/bin/flux',
    '/run/netns/blue',
    '/sys/class/net/veth2/master',
    '/proc/101/stat',
    '/proc/204/stat',
  ])('keeps a file that another program or a later K3s may need: %s', async (path) => {
    const host = aHost();
    await told(uninstall({ k3s: true, purge: true }), host);
    expect(host.files.stat(path)).toBeDefined();
  });

  test('keeps a configuration that names the credential provider of another tool, and the script of Slipway', async () => {
    const host = aHost();
    host.files.write(provider, 'providers: [{ name: ecr }, { name: slipway-credential-provider }]\n');
    await told(uninstall({ k3s: true, purge: true }), host);
    expect(host.files.text(provider)).toContain('ecr');
    expect(host.files.list(paths.k3s.credentialProviderBin)).toEqual(['slipway-credential-provider']);
  });
});

test('an uninstall removes the files of failed units first, then makes systemd forget the units', async () => {
  const host = aHost();
  for (const unit of ['slipway-directories.service', 'k3s.service', 'other.service']) {
    host.files.write(`/run/failed/${unit}`, '');
  }
  host.files.remove('/run/active/k3s.service');
  await told(uninstall({ k3s: true }), host);
  const lines = host.lines();
  for (const unit of ['slipway-directories.service', 'k3s.service']) {
    const removed = lines.indexOf(`remove /etc/systemd/system/${unit}`);
    expect(removed).toBeGreaterThan(-1);
    expect(lines.indexOf(`run systemctl reset-failed ${unit}`)).toBeGreaterThan(removed);
  }
  expect(host.files.list('/run/failed')).toEqual(['other.service']);
});

describe('an uninstall with --purge', () => {
  test.each(['join-token', 'agent-token', 'imds-guard.nft'])(
    'keeps a file that a remaining K3s needs: %s',
    async (name) => {
      const host = aHost();
      host.files.write(`/var/lib/slipway/${name}`, 'needed');
      host.files.write('/var/lib/slipway/other', 'not needed');
      await told(uninstall({ purge: true }), host);
      expect(host.files.list('/var/lib/slipway')).toContain(name);
      expect(host.files.list('/var/lib/slipway')).not.toContain('other');
    },
  );
});

describe('an uninstall with a failing step', () => {
  test('performs the other steps, reports the failure, and keeps the executable for the next attempt', async () => {
    const host = aHost().failWrite('/etc/tmpfiles.d/slipway.conf', 'EROFS');
    const lines = await told(uninstall({}), host);
    expect(lines.filter((line) => line.startsWith('!'))).toEqual([
      expect.stringMatching(/^! not done: remove \/etc\/tmpfiles\.d\/slipway\.conf: ReadOnly: /),
      '! not done: remove /usr/local/bin/slipway: waits for Removed//etc/tmpfiles.d/slipway.conf',
    ]);
    expect(host.lines()).toEqual(withoutK3s.filter((line) => !line.includes('tmpfiles')));
    host.heal('/etc/tmpfiles.d/slipway.conf');
    expect((await told(uninstall({}), host)).at(-1)).toBe('remove /usr/local/bin/slipway');
  });

  test('deletes no file of K3s if K3s does not stop', async () => {
    const host = aHost();
    host.on({ file: 'systemctl', args: /^disable --now k3s/ }, { exitCode: 1, stderr: 'timed out' });
    const lines = await told(uninstall({ k3s: true, purge: true }), host);
    expect(lines).toContainEqual(expect.stringMatching(/^! not done: stop K3s.*timed out/));
    for (const path of [
      '/var/lib/rancher/k3s/server/token',
      '/var/lib/slipway/join-token',
      '/usr/local/bin/slipway',
    ]) {
      expect(host.files.stat(path)).toBeDefined();
    }
  });

  test('deletes no data while a volume is still mounted', async () => {
    const host = aHost();
    host.on({ file: 'umount' }, { exitCode: 32, stderr: 'umount: target is busy' });
    const lines = await told(uninstall({ k3s: true }), host);
    expect(lines).toContainEqual(expect.stringMatching(/^! not done: unmount.*busy/));
    expect(host.files.stat('/var/lib/kubelet')).toBeDefined();
    expect(host.lines()).not.toContain('remove /var/lib/kubelet');
  });

  test('deletes no file of K3s if the state of its unit is unknown', async () => {
    const host = aHost();
    host.files.write(paths.slipway.imdsGuard, '');
    host.on({ file: 'systemctl', args: /^show k3s/ }, { exitCode: 1, stderr: 'no bus' });
    const lines = await told(uninstall({ k3s: true, purge: true }), host);
    expect(lines).toContainEqual(expect.stringMatching(/^! not done: stop K3s.*no bus/));
    expect(
      host.lines().filter((line) => /rancher\/k3s|kubelet|local\/bin|imds|slipway\.service$/.test(line)),
    ).toEqual(['run systemctl disable --now slipway.service']);
    expect(host.files.stat(paths.k3s.credentialProviderBin)).toBeDefined();
  });

  test('keeps the data of K3s, which may contain iptables, until the rules of K3s are removed', async () => {
    const host = aHost();
    host.on({ file: 'iptables-save' }, { exitCode: 4 });
    const lines = await told(uninstall({ k3s: true, purge: true }), host);
    expect(lines).toContainEqual(expect.stringMatching(/^! not done: remove the rules of K3s from iptables/));
    expect(host.files.stat(paths.k3s.data)).toBeDefined();
    expect(host.files.stat('/usr/local/bin/slipway')).toBeDefined();
  });

  test('keeps the executable if the guard of the metadata service cannot be removed', async () => {
    const host = aHost();
    host.files.write(paths.slipway.imdsGuard, '');
    host.files.write('/usr/sbin/nft', '');
    host.on({ file: 'systemd-run', args: / list table / }, '');
    host.on({ file: 'systemd-run', args: / delete table / }, { exitCode: 1, stderr: 'busy' });
    const lines = await told(uninstall({ k3s: true, purge: true }), host);
    expect(lines).toContain('! not done: remove /usr/local/bin/slipway: waits for ImdsGuard/none');
  });

  test('reports processes that do not end, and unmounts nothing', async () => {
    const host = aHost();
    host.on({ file: 'sh' }, '');
    const lines = await told(k3sStopped(paths, false), host);
    expect(lines).toContainEqual(expect.stringMatching(/^! .*do not end: 200 201 202 203/));
    expect(host.lines().filter((line) => line.startsWith('run umount'))).toEqual([]);
  });
});

test('stopping K3s unmounts stacked mounts one by one, and tolerates a mount that has already disappeared', async () => {
  const host = aHost();
  const twice =
    'nsfs /run/netns/cni-1 nsfs rw 0 0\ntmpfs /run/k3s/a tmpfs rw 0 0\ntmpfs /run/k3s/a tmpfs rw 0 0\n';
  host.files.write('/proc/mounts', twice);
  let calls = 0;
  host.on({ file: 'umount' }, ({ args }) => {
    calls += 1;
    expect(new Set(args).size).toBe(args.length);
    host.files.write('/proc/mounts', calls === 1 ? 'tmpfs /run/k3s/a tmpfs rw 0 0\n' : '');
    return { exitCode: 32, stderr: 'umount: not mounted' };
  });
  expect((await told(k3sStopped(paths, false), host)).filter((line) => line.startsWith('!'))).toEqual([]);
  expect(calls).toBe(2);
});

describe('stopping or removing K3s', () => {
  const own = ['/var/lib/rancher/k3s/server', '/var/lib/rancher/k3s/storage', '/var/lib/kubelet/disk'];

  test.each(own)("neither unmounts nor empties the operator's own mount %s", async (point) => {
    for (const steps of [k3sStopped(paths, false), uninstall({ k3s: true })]) {
      const host = aHost();
      host.files.write('/proc/mounts', `${host.files.text('/proc/mounts')}/dev/sdd1 ${point} ext4 rw 0 0\n`);
      host.files.write(`${point}/mine`, 'mine');
      await told(steps, host);
      expect(host.files.text('/proc/mounts')).toContain(point);
      expect(host.files.text(`${point}/mine`)).toBe('mine');
    }
  });

  test('unmounts containerd snapshots and the mounts of CSI drivers', async () => {
    const host = aHost();
    const points = ['/var/lib/rancher/k3s/agent/containerd/a', '/var/lib/kubelet/plugins/csi/b'];
    host.files.write('/proc/mounts', points.map((point) => `tmpfs ${point} tmpfs rw 0 0\n`).join(''));
    await told(k3sStopped(paths, false), host);
    expect(host.files.text('/proc/mounts')).not.toContain('tmpfs');
  });
});

describe('the K3s data of an older role', () => {
  const aside = '/var/lib/rancher/k3s.server-20260101T120000Z';

  test.each([
    [{ k3s: true, purge: true }, false],
    [{ k3s: true }, true],
    [{ purge: true }, true],
  ])('is removed only with both --k3s and --purge: %o', async (extent, stays) => {
    const host = aHost();
    host.files.write(`${aside}/server/tls/ca.key`, '');
    host.files.write('/var/lib/rancher/k3s.backup/mine', '');
    await told(uninstall(extent), host);
    expect(host.files.stat(aside) !== undefined).toBe(stays);
    expect(host.files.stat('/var/lib/rancher/k3s.backup')).toBeDefined();
  });

  test('stays while a disk is mounted below the folder', async () => {
    const host = aHost();
    host.files.write(`${aside}/server/token`, '');
    host.files.write('/proc/mounts', `/dev/sdd1 ${aside}/storage ext4 rw 0 0\n`);
    const lines = await told(uninstall({ k3s: true, purge: true }), host);
    expect(lines).toContainEqual(expect.stringContaining(`${aside}/storage`));
    expect(host.files.stat(aside)).toBeDefined();
  });
});

test.each([true, false])(
  'an uninstall removes the files of an unfinished download, but no file with a similar name (--k3s: %s)',
  async (k3s) => {
    const host = aHost();
    const replaced = '.k3s.before-restore-20260101T120000Z';
    const parts = ['.k3s.slipway-part', '.k3s.slipway-part.json', '.flux.slipway-part.refused', replaced];
    const others = ['k3s.slipway-part', '.k3s.slipway-part.of.mine', 'slipway-part'];
    for (const name of [...parts, ...others]) {
      host.files.write(`/usr/local/bin/${name}`, 'part');
    }
    await told(uninstall({ k3s }), host);
    const left = host.files.list('/usr/local/bin').filter((name) => /slipway-part|restore/.test(name));
    expect(left).toEqual(others.toSorted());
  },
);

test('a dry run of an uninstall names no files or units that do not exist', async () => {
  const text = await rehearse(uninstall({ k3s: true }), aHost());
  expect(text).toContain('run:  systemctl disable --now slipway.service\n');
  expect(text).toContain('then: remove /var/lib/kubelet\n');
  expect(text).not.toContain('k3s-agent');
});

test('an uninstall empties a separate disk for the data of K3s and keeps it mounted', async () => {
  const host = aHost();
  const mounted = '/dev/sdc1 /var/lib/rancher/k3s ext4 rw 0 0\n';
  host.files.write('/proc/mounts', `${mounted}${host.files.text('/proc/mounts')}`);
  await told(uninstall({ k3s: true }), host);
  expect(host.lines()).toContain('remove /var/lib/rancher/k3s/server');
  expect(host.files.stat('/var/lib/rancher/k3s')?.kind).toBe('directory');
  expect(host.lines().join('\n')).not.toMatch(/umount.*rancher\/k3s( |$)/);
});

test('an uninstall below another root does not touch the kernel or the units of the machine', async () => {
  const host = aHost();
  const image = nodePaths('/image');
  host.files.write('/image/usr/local/bin/slipway', '');
  host.files.write('/image/etc/systemd/system/slipway.service', '');
  host.files.write('/image/var/lib/rancher/k3s/server/token', '');
  const steps = uninstallSteps(image, { k3s: true, purge: true, keepsK3s: false });
  await told([daemonStopped(image, true), ...steps], host);
  expect(host.lines()).toEqual([
    'remove /image/var/lib/rancher/k3s',
    'remove /image/etc/systemd/system/slipway.service',
    'remove /image/usr/local/bin/slipway',
  ]);
});
