import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { asUserData, filledIn, template, variables } from './user-data.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-cloud-init-'));
afterAll(() => rmSync(folder, { recursive: true }));

const bin = join(folder, 'bin');
const stubs = join(folder, 'stubs');
const calls = join(folder, 'calls');
const release = join(folder, 'release');
/** The folder that replaces the root of the VM, except for /usr/local/bin. */
const root = join(folder, 'root');
const packagedUnit = '/usr/lib/systemd/system/slipway.service';

/**
 * A script that replaces the executable. It records its calls, exits with SLIPWAY_EXIT unless that is 0, and otherwise
 * installs itself if it was downloaded.
 */
const slipway = `#!/bin/sh
echo "slipway $*" >>${calls}
[ "\${SLIPWAY_EXIT:-0}" = 0 ] || exit "$SLIPWAY_EXIT"
case $0 in *.part) cp "$0" ${bin}/slipway ;; esac
`;
const sha256 = createHash('sha256').update(slipway).digest('hex');
const filled = {
  slipway_url: 'https://example.com/$web/slipway?x=1&y=%20',
  slipway_sha256: sha256,
  config: '{ azure: { keyVault: { name: myteam-vault } } }',
};
const otherDigest = '0'.repeat(64);

beforeEach(() => {
  for (const each of [bin, stubs, root]) {
    rmSync(each, { recursive: true, force: true });
    mkdirSync(each);
  }
  writeFileSync(calls, '');
  writeFileSync(release, slipway);
  stub('logger', `echo "logger $*" >>${calls}`);
  stub('systemctl', `echo "systemctl $*" >>${calls}`);
  // The last two arguments of curl are the file for -o and the address.
  stub('curl', `for each; do at=$of; of=$each; done\necho "curl $of" >>${calls}\ncp ${release} "$at"`);
});

describe('the cloud-init template', () => {
  test('is short, and explains its variables at the top', () => {
    expect(template.split('\n').length).toBeLessThan(40);
    const explained = [...template.matchAll(/^# {3}(\w+) /gm)].map(([, name]) => name);
    expect(explained.toSorted()).toEqual(variables.toSorted());
    expect(variables).toHaveLength(3);
  });

  test('has no text that templatefile or envsubst would replace by mistake', () => {
    const names = [...template.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name = '']) => name);
    expect(names.filter((name) => !variables.includes(name))).toEqual([]);
    expect(template).not.toMatch(/%\{/);
  });

  test('has only files and commands, and no password', () => {
    expect(Object.keys(asUserData(filledIn(filled)))).toEqual(['write_files', 'runcmd']);
    expect(template).not.toMatch(/password|token|--?u(ser)?[ =]/i);
  });

  test.each([
    ['one line of JSON', JSON.stringify({ azure: { keyVault: { name: 'v' } } })],
    ['indented YAML', 'azure:\n        keyVault:\n          name: v'],
  ])('accepts settings as %s', (_, config) => {
    const [file] = asUserData(filledIn({ ...filled, config })).write_files;
    expect(file).toMatchObject({ path: '/etc/slipway/config.yaml', permissions: '0644' });
    expect(parse(file?.content ?? '')).toEqual({ azure: { keyVault: { name: 'v' } } });
  });

  test('can be filled in by envsubst', ({ skip }) => {
    skip(spawnSync('envsubst', ['--version']).error !== undefined, 'needs envsubst, of gettext-base');
    const env = { PATH: process.env.PATH, ...filled };
    expect(spawnSync('envsubst', { env, input: template, encoding: 'utf8' }).stdout).toBe(filledIn(filled));
  });

  test('is valid for cloud-init once it is filled in', ({ skip }) => {
    skip(spawnSync('cloud-init', ['--version']).error !== undefined, 'needs cloud-init');
    const file = join(folder, 'user-data.yaml');
    writeFileSync(file, filledIn(filled));
    const { status, stdout, stderr } = spawnSync('cloud-init', ['schema', '--config-file', file]);
    expect({ status, output: `${stdout}${stderr}` }).toMatchObject({ status: 0 });
  });
});

describe('the commands of the cloud-init template', () => {
  test('download, verify, install and start the executable', () => {
    expect(runCommands(filled).exitCode).toBe(0);
    expect(called()).toEqual([
      `curl ${filled.slipway_url}`,
      'slipway install',
      'systemctl restart --no-block slipway.service',
    ]);
    expect(readFileSync(join(bin, 'slipway'), 'utf8')).toBe(slipway);
    expect(existsSync(join(bin, 'slipway.part'))).toBe(false);
  });

  test('leave the installation of the executable to slipway install', () => {
    writeFileSync(release, slipway.replace('case', '# case'));
    const other = createHash('sha256').update(readFileSync(release)).digest('hex');
    expect(runCommands({ ...filled, slipway_sha256: other }).exitCode).toBe(0);
    expect(existsSync(join(bin, 'slipway'))).toBe(false);
  });

  test('use the executable of a package if it is the wanted build', () => {
    write(packagedUnit, '');
    write('/usr/bin/slipway', slipway);
    expect(runCommands(filled).exitCode).toBe(0);
    expect(called()).toEqual(['slipway install', 'systemctl restart --no-block slipway.service']);
    expect(existsSync(join(bin, 'slipway'))).toBe(false);
  });

  test.each([packagedUnit, '/usr/bin/slipway'])(
    'fail if the image has a package of another build: %s',
    (path) => {
      write(path, '#!/bin/sh\n');
      expect(runCommands(filled).exitCode).toBe(1);
      expect(called()).toEqual([
        expect.stringMatching(/^logger .*the image has the slipway package.*not the sha256 [0-9a-f]{64}$/),
      ]);
      expect(existsSync(join(bin, 'slipway'))).toBe(false);
    },
  );

  test('use an executable in the image without a download if it is the wanted build', () => {
    writeFileSync(join(bin, 'slipway'), slipway, { mode: 0o755 });
    expect(runCommands(filled).exitCode).toBe(0);
    expect(called()).toEqual(['slipway install', 'systemctl restart --no-block slipway.service']);
  });

  test('replace an executable of another build', () => {
    writeFileSync(join(bin, 'slipway'), '#!/bin/sh\n', { mode: 0o755 });
    expect(runCommands(filled).exitCode).toBe(0);
    expect(readFileSync(join(bin, 'slipway'), 'utf8')).toBe(slipway);
  });

  test('fail if the downloaded file has another digest', () => {
    expect(runCommands({ ...filled, slipway_sha256: otherDigest }).exitCode).toBe(1);
    expect(called()).toEqual([
      `curl ${filled.slipway_url}`,
      expect.stringMatching(`^logger .*has the sha256 ${sha256}, not ${otherDigest}$`),
    ]);
    expect(existsSync(join(bin, 'slipway'))).toBe(false);
  });

  test('fail if the download fails', () => {
    stub('curl', 'exit 22');
    expect(runCommands(filled).exitCode).toBe(1);
    expect(called()).toEqual([
      expect.stringMatching(/^logger .* -p user\.err .*no executable from https:.*reach it\?$/),
    ]);
  });

  test('fail without starting the daemon if slipway install fails', () => {
    expect(runCommands(filled, { SLIPWAY_EXIT: '1' }).exitCode).toBe(1);
    expect(called().slice(1)).toEqual([
      'slipway install',
      expect.stringMatching(/^logger .*slipway install failed/),
    ]);
  });

  test.each([
    ['slipway_url', undefined],
    ['slipway_url', ''],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an unfilled variable.
    ['slipway_url', 'https://${account}.blob.core.windows.net/slipway'],
    ['slipway_sha256', undefined],
    ['slipway_sha256', ''],
    ['config', undefined],
    ['config', ''],
    ['config', '  '],
  ])('fail and name an unfilled variable: %s, %j', (name, value) => {
    const { [name]: _, ...others }: Record<string, string> = filled;
    const ended = runCommands(value === undefined ? others : { ...others, [name]: value });
    expect(ended.exitCode).toBe(1);
    const line = `cloud-init: the user data's ${name} was not filled in; create the VM anew with it`;
    expect(called()).toEqual([`logger -s -t slipway -p user.err ${line}`]);
  });
});

test('the commands of the cloud-init template accept settings that contain something like a variable', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the rewrite rule of a mirror.
  const config = '{ registries: { mirrors: { docker.io: { rewrite: { "(?P<a>.*)": "b/${a}" } } } } }';
  expect(runCommands({ ...filled, config }).exitCode).toBe(0);
});

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content, { mode: 0o755 });
}

function stub(name: string, script: string): void {
  writeFileSync(join(stubs, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(stubs, name), 0o755);
}

function called(): readonly string[] {
  return readFileSync(calls, 'utf8').trim().split('\n');
}

/**
 * Runs the template as cloud-init does: writes the files, then runs all commands in one /bin/sh script. Returns the
 * script's exit code and stderr.
 */
function runCommands(values: Readonly<Record<string, string>>, environment: Record<string, string> = {}) {
  const { write_files, runcmd } = asUserData(filledIn(values));
  for (const { path, content } of write_files) {
    write(path, content);
  }
  const places = /\/usr\/local\/bin|(?:\/etc|\/usr\/bin|\/usr\/lib\/systemd\/system)\/slipway/g;
  const script = runcmd
    .join('\n')
    .replace(places, (path) => (path === '/usr/local/bin' ? bin : join(root, path)));
  const { status, stderr } = spawnSync('/bin/sh', ['-c', script], {
    env: { PATH: `${stubs}:${process.env.PATH}`, ...environment },
    encoding: 'utf8',
  });
  return { exitCode: status, stderr };
}
