import { describe, expect, test } from 'vitest';
import { nodePaths } from '../../../src/agent/paths.ts';
import { installSteps } from '../../../src/setup/install-steps.ts';
import { packagedUnit } from '../../../src/setup/setup-paths.ts';
import { type MemoryHost, memoryHost } from '../../lab/memory-host.ts';
import { told } from './a-host.ts';

const units = '/etc/systemd/system';
const files = { daemon: 'daemon', directories: 'directories', tmpfiles: 'tmpfiles', example: 'example' };

/** Returns a host that has only the executable in /tmp. If the root is not `/`, systemd does not run. */
function bareHost(root = '/'): MemoryHost {
  const host = memoryHost(root === '/' ? { directories: ['/run/systemd/system'] } : {});
  host.files.write('/tmp/slipway', 'executable 2', 0o755);
  const text = (path: string) => host.files.text(path);
  host.on({ file: 'cmp' }, ({ args }) => ({ exitCode: text(args[2] ?? '') === text(args[3] ?? '') ? 0 : 1 }));
  host.on({ file: 'install', args: /^-D -m 0755 -- / }, ({ args }) => {
    host.files.write(args[5] ?? '', text(args[4] ?? '') ?? '', 0o755);
    return '';
  });
  host.on({ file: 'chown' });
  host.on({ file: 'sync' });
  systemd(host, root);
  return host;
}

/** Models systemctl: a unit needs a daemon-reload if its file was written after the last daemon-reload. */
function systemd(host: MemoryHost, root: string): void {
  const loaded = new Map<string, number | undefined>();
  const link = `${root === '/' ? '' : root}${units}/multi-user.target.wants/slipway.service`;
  const offline = root === '/' ? '' : `--root ${root} `;
  const path = (unit: string) => `${units}/${unit}`;
  const written = (unit: string) => host.files.stat(path(unit))?.modifiedAt;
  host.on({ file: 'systemctl', args: /^show / }, ({ args: [, unit = ''] }) => {
    const isLoaded = loaded.get(unit) !== undefined;
    const isStale = loaded.get(unit) !== written(unit);
    return `LoadState=loaded\nFragmentPath=${isLoaded ? path(unit) : ''}\nNeedDaemonReload=${isStale ? 'yes' : 'no'}\n`;
  });
  host.on({ file: 'systemctl', args: ['daemon-reload'] }, () => {
    for (const unit of ['slipway.service', 'slipway-directories.service']) {
      loaded.set(unit, written(unit));
    }
    return '';
  });
  host.on({ file: 'systemctl', args: new RegExp(`^${offline}is-enabled slipway.service$`) }, () =>
    host.files.stat(link) ? 'enabled\n' : { exitCode: 1, stdout: 'disabled\n' },
  );
  host.on({ file: 'systemctl', args: new RegExp(`^${offline}enable slipway.service$`) }, () => {
    host.files.link(link, path('slipway.service'));
    return '';
  });
}

function steps(root = '/') {
  return installSteps({ paths: nodePaths(root), self: '/tmp/slipway', files });
}

const inPlace = [
  'run install -D -m 0755 -- /tmp/slipway /usr/local/bin/.slipway.new',
  // The owner is given as numbers, because /proc may be missing while an image is built.
  `run chown -- ${process.geteuid?.()}:${process.getegid?.()} /usr/local/bin/.slipway.new`,
  'run sync -- /usr/local/bin/.slipway.new',
  'rename /usr/local/bin/.slipway.new -> /usr/local/bin/slipway',
];

test('an install on a bare host writes all files, and the example settings last', async () => {
  const host = bareHost();
  await told(steps(), host);
  expect(host.lines()).toEqual([
    ...inPlace,
    `write ${units}/slipway-directories.service 0644`,
    `write ${units}/slipway.service 0644`,
    'write /etc/tmpfiles.d/slipway.conf 0644',
    'run systemctl daemon-reload',
    'run systemctl enable slipway.service',
    'write /etc/slipway/config.yaml.example 0644',
  ]);
  expect(host.files.stat('/etc/slipway/config.yaml')).toBeUndefined();
});

test('a repeated install changes nothing', async () => {
  const host = bareHost();
  await told(steps(), host);
  const { length } = host.journal;
  expect(await told(steps(), host)).toEqual([]);
  expect(host.journal.length).toBe(length);
});

test.each(['/usr/local', '/etc/systemd/system'])(
  'an install reports UnsafePath and changes nothing if another user owns %s',
  async (path) => {
    const host = bareHost();
    host.files.makeDirectory(path);
    host.files.give(path, '1000:1000');
    const lines = await told(steps(), host);
    expect(lines.join('\n')).toContain(`UnsafePath: ${path}`);
    expect(lines.join('\n')).toContain(`chown -h root:root ${path}`);
    expect(host.lines()).toEqual([]);
  },
);

describe('a later install', () => {
  test.each([
    [
      'replaces a different executable',
      (host: MemoryHost) => host.files.write('/usr/local/bin/slipway', '1', 0o755),
      inPlace,
    ],
    [
      'replaces an executable that not all users may run',
      (host) => host.files.write('/usr/local/bin/slipway', 'executable 2', 0o700),
      inPlace,
    ],
    [
      'replaces a link to the executable with a copy',
      (host) => host.files.link('/usr/local/bin/slipway', '/tmp/slipway'),
      inPlace,
    ],
    [
      'replaces a unit of an older Slipway',
      (host) => host.files.write(`${units}/slipway.service`, 'old'),
      [`write ${units}/slipway.service 0644`, 'run systemctl daemon-reload'],
    ],
    [
      'replaces an edited example',
      (host) => host.files.write('/etc/slipway/config.yaml.example', ''),
      ['write /etc/slipway/config.yaml.example 0644'],
    ],
    [
      'does not enable a daemon that was disabled on purpose',
      (host) => host.files.remove(`${units}/multi-user.target.wants/slipway.service`),
      [],
    ],
    [
      "keeps the operator's drop-in",
      (host) => host.files.write(`${units}/slipway.service.d/mine.conf`, 'x'),
      [],
    ],
    ["keeps the operator's settings", (host) => host.files.write('/etc/slipway/config.yaml', 'x'), []],
  ] satisfies [string, (host: MemoryHost) => void, readonly string[]][])(
    '%s',
    async (_, change, expected) => {
      const host = bareHost();
      await told(steps(), host);
      host.advance(1_000);
      change(host);
      const [before, { length }] = [host.files.text('/etc/slipway/config.yaml'), host.journal];
      await told(steps(), host);
      expect(host.lines().slice(length)).toEqual(expected);
      expect(host.files.text('/etc/slipway/config.yaml')).toBe(before);
    },
  );
});

test('an install does not enable the unit if a file could not be written', async () => {
  const host = bareHost().failWrite(`${units}/slipway.service`, 'ENOSPC');
  const lines = await told(steps(), host);
  expect(lines).toContainEqual(expect.stringMatching(/^! not done: write .*slipway\.service: DiskFull/));
  expect(host.lines()).not.toContain('run systemctl enable slipway.service');
});

test('an install completes an earlier install that crashed at any mutation', async () => {
  const whole = bareHost();
  await told(steps(), whole);
  for (let mutation = 1; mutation <= whole.mutations; mutation += 1) {
    const host = bareHost().crashBefore(mutation);
    await told(steps(), host).catch(() => undefined);
    await told(steps(), host.restart());
    expect(host.files.snapshot()).toEqual(whole.files.snapshot());
  }
});

test('an install into an image enables the unit without the systemd of this machine', async () => {
  const host = bareHost('/image');
  await told(steps('/image'), host);
  expect(host.lines().filter((line) => line.startsWith('run systemctl'))).toEqual([
    'run systemctl --root /image enable slipway.service',
  ]);
  expect(host.files.text('/image/usr/local/bin/slipway')).toBe('executable 2');
});

test('an install into an image does not enable a unit that was disabled there', async () => {
  const host = bareHost('/image');
  await told(steps('/image'), host);
  host.files.remove(`/image${units}/multi-user.target.wants/slipway.service`);
  const { length } = host.journal;
  expect(await told(steps('/image'), host)).toEqual([]);
  expect(host.journal.length).toBe(length);
});

describe('packagedUnit', () => {
  test.each(['/usr/lib', '/lib'])('finds the unit of the package in %s', async (lib) => {
    const host = bareHost();
    host.files.write(`${lib}/systemd/system/slipway.service`, "the package's");
    expect(await packagedUnit(host, nodePaths('/'))).toBe(`${lib}/systemd/system/slipway.service`);
  });
});
