/** Tests `slipway install` and `uninstall` with the programs of this machine, below a separate root. */
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { nodePaths } from '../../../src/agent/paths.ts';
import { installSteps } from '../../../src/setup/install-steps.ts';
import { installedFiles } from '../../../src/setup/installed-files.ts';
import { perform } from '../../../src/setup/perform.ts';
import { daemonStopped, uninstallSteps } from '../../../src/setup/uninstall-steps.ts';
import { temporaryFolder } from '../host/folder.ts';

let root: string;
let self: string;

beforeEach(async () => {
  root = await temporaryFolder();
  self = join(await temporaryFolder(), 'downloaded');
  await writeFile(self, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0xff, 0x00]));
});

/** Resolves to an environment whose systemctl behaves like the real one with --root, as during an image build. */
async function withSystemctl(): Promise<NodeJS.ProcessEnv> {
  const bin = await temporaryFolder();
  const script = `#!/bin/sh
wants="$2/etc/systemd/system/multi-user.target.wants"
case "$1 $3" in
  '--root is-enabled') [ -L "$wants/$4" ] && echo enabled || { echo disabled; exit 1; } ;;
  '--root enable') mkdir -p "$wants" && ln -sf "/etc/systemd/system/$4" "$wants/$4" ;;
  *) echo "not foreseen: $*" >&2; exit 9 ;;
esac
`;
  await writeFile(join(bin, 'systemctl'), script);
  await chmod(join(bin, 'systemctl'), 0o755);
  return { PATH: `${bin}:${process.env.PATH}` };
}

async function told(steps: Parameters<typeof perform>[0]): Promise<readonly string[]> {
  const lines: string[] = [];
  const host = nodeHost({ env: await withSystemctl(), root });
  await perform(steps, host, { out: (line) => lines.push(line), error: (line) => lines.push(`! ${line}`) });
  return lines;
}

function steps() {
  return installSteps({ paths: nodePaths(root), self, files: installedFiles() });
}

async function everything(): Promise<readonly string[]> {
  const all = await readdir(root, { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}

const inPlace = [
  '/etc/slipway/config.yaml.example',
  '/etc/systemd/system/multi-user.target.wants/slipway.service',
  '/etc/systemd/system/slipway-directories.service',
  '/etc/systemd/system/slipway.service',
  '/etc/tmpfiles.d/slipway.conf',
  '/usr/local/bin/slipway',
];

describe('install', () => {
  test('writes all files, and enables the daemon', async () => {
    const lines = await told(steps());
    expect(lines.filter((line) => line.startsWith('!'))).toEqual([]);
    expect(await everything()).toEqual(inPlace);
    const executable = join(root, 'usr/local/bin/slipway');
    expect(await readFile(executable)).toEqual(await readFile(self));
    expect((await stat(executable)).mode & 0o777).toBe(0o755);
  });

  test.each([
    ['etc/systemd/system/slipway.service', 'systemd/slipway.service'],
    ['etc/systemd/system/slipway-directories.service', 'systemd/slipway-directories.service'],
    ['etc/tmpfiles.d/slipway.conf', 'systemd/slipway.tmpfiles.conf'],
  ])('writes %s from %s unchanged', async (path, source) => {
    await told(steps());
    expect(await readFile(join(root, path), 'utf8')).toBe(await readFile(source, 'utf8'));
  });

  test('writes example settings that are valid YAML', async () => {
    await told(steps());
    const example = parse(await readFile(join(root, 'etc/slipway/config.yaml.example'), 'utf8'));
    expect(example).toHaveProperty('azure.keyVault');
  });

  test('changes nothing when repeated', async () => {
    await told(steps());
    const executable = join(root, 'usr/local/bin/slipway');
    const before = await stat(executable);
    expect(await told(steps())).toEqual([]);
    expect((await stat(executable)).ino).toBe(before.ino);
  });

  test('replaces the executable with a new file, because the old file may be running', async () => {
    await told(steps());
    const executable = join(root, 'usr/local/bin/slipway');
    const before = await stat(executable);
    await writeFile(self, 'a newer one');
    expect(await told(steps())).toEqual([`copy ${self} to ${executable}`]);
    expect((await stat(executable)).ino).not.toBe(before.ino);
    expect(await readFile(executable, 'utf8')).toBe('a newer one');
  });
});

describe('uninstall', () => {
  const uninstall = () => [
    daemonStopped(nodePaths(root), true),
    ...uninstallSteps(nodePaths(root), { k3s: true, purge: true, keepsK3s: false }),
  ];

  test('removes all files that install wrote, and no other file', async () => {
    for (const path of ['etc/rancher/node/password', 'etc/systemd/system/slipway.service.d/mine.conf']) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), 'theirs');
    }
    await told(steps());
    const lines = await told(uninstall());
    expect(lines.filter((line) => line.startsWith('!'))).toEqual([]);
    expect(await everything()).toEqual([
      '/etc/rancher/node/password',
      '/etc/systemd/system/slipway.service.d/mine.conf',
    ]);
  });
});

test("install and uninstall resolve an image's absolute links below --root, not on the host", async () => {
  const machine = await temporaryFolder();
  await writeFile(join(machine, 'kept'), 'of the machine');
  for (const link of ['usr/local/bin', 'etc/rancher', 'var/lib/rancher', 'run', 'etc/slipway']) {
    await mkdir(dirname(join(root, link)), { recursive: true });
    await symlink(machine, join(root, link));
  }
  await mkdir(join(root, machine, 'k3s/server'), { recursive: true });
  await mkdir(join(machine, 'k3s'));
  await writeFile(join(machine, 'k3s/db'), 'of the machine');
  await told(steps());
  expect((await stat(join(root, machine, 'slipway'))).mode & 0o777).toBe(0o755);
  const paths = nodePaths(root);
  const extent = { k3s: true, purge: true, keepsK3s: false };
  const lines = await told([daemonStopped(paths, true), ...uninstallSteps(paths, extent)]);
  expect(lines.filter((line) => line.startsWith('!'))).toEqual([]);
  expect((await readdir(machine, { recursive: true })).sort()).toEqual(['k3s', 'k3s/db', 'kept']);
});
