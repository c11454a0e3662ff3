import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { executable, runProgram } from './executable.ts';

const wants = 'etc/systemd/system/multi-user.target.wants';

/**
 * Returns an empty root, and a function that runs slipway on this root with a fake systemctl, which enables units by
 * creating links below the root.
 */
function image() {
  const root = mkdtempSync(join(tmpdir(), 'slipway-install-'));
  const bin = mkdtempSync(join(tmpdir(), 'slipway-bin-'));
  onTestFinished(() => {
    for (const path of [root, bin]) {
      rmSync(path, { recursive: true });
    }
  });
  const script = `#!/bin/sh
link="$2/${wants}/$4"
case "$3" in
  is-enabled) [ -L "$link" ] && echo enabled ;;
  enable) mkdir -p "$2/${wants}" && ln -s "../$4" "$link" ;;
esac
`;
  writeFileSync(join(bin, 'systemctl'), script, { mode: 0o755 });
  const slipway = (...args: readonly string[]) =>
    runProgram(executable(), [...args, '--root', root], { PATH: `${bin}:${process.env.PATH}` });
  return { root, slipway };
}

test('slipway install writes the files that the executable contains, and slipway uninstall removes them', () => {
  const { root, slipway } = image();
  expect(slipway('install')).toMatchObject({ exitCode: 0, stderr: '' });
  const installed = (path: string) => readFileSync(join(root, path));
  for (const [path, source] of [
    ['etc/systemd/system/slipway.service', 'systemd/slipway.service'],
    ['etc/systemd/system/slipway-directories.service', 'systemd/slipway-directories.service'],
    ['etc/tmpfiles.d/slipway.conf', 'systemd/slipway.tmpfiles.conf'],
    ['usr/local/bin/slipway', executable()],
  ] as const) {
    expect(installed(path).equals(readFileSync(source))).toBe(true);
  }
  expect(installed('etc/slipway/config.yaml.example').toString()).toContain('keyVault');
  expect(readdirSync(join(root, wants))).toEqual(['slipway.service']);

  expect(slipway('uninstall', '--purge', '--dry-run').stdout).toContain('Nothing was changed.');
  expect(installed('usr/local/bin/slipway').length).toBeGreaterThan(1e6);
  expect(slipway('uninstall', '--purge')).toMatchObject({ exitCode: 0, stderr: '' });
  const left = readdirSync(root, { recursive: true, withFileTypes: true }).filter(
    (each) => !each.isDirectory(),
  );
  expect(left.map(({ name }) => name)).toEqual([]);
});
