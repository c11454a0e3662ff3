/**
 * Tests packaging/cloud-init/oracle.yaml as cloud-init.test.ts tests user-data.yaml; also tests the firewall rules in
 * oracle.yaml.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { asUserData, filledIn, oracleTemplate, variablesIn } from './user-data.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-oracle-'));
afterAll(() => rmSync(folder, { recursive: true }));

const root = join(folder, 'root');
const stubs = join(folder, 'stubs');
const calls = join(folder, 'calls');
const bin = join(root, 'usr/local/bin');
const perBoot = '/var/lib/cloud/scripts/per-boot/slipway';
const savedRules = '/etc/iptables/rules.v4';

/** A script that replaces the executable. It records its calls, and fails while the file `broken` exists. */
const slipway = `#!/bin/sh\necho "slipway $*" >>${calls}\n[ ! -e ${folder}/broken ]\n`;
const sha256 = createHash('sha256').update(slipway).digest('hex');
const kubelet = 'INPUT -s 10.0.0.0/16 -p tcp --dport 10250 -j ACCEPT';
const pods = 'FORWARD -s 10.42.0.0/16 -j ACCEPT';
const filled = {
  slipway_url: 'https://example.com/$web/slipway?x=1&y=%20',
  slipway_sha256: sha256,
  config: '{ cloud: oracle }',
  firewall: `${kubelet} ; ${pods};`,
};
/** A short version of the rules in Oracle's Ubuntu images. */
const image = `*filter
:INPUT ACCEPT [0:0]
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
-A OUTPUT -d 169.254.0.0/16 -j InstanceServices
-A InstanceServices -d 169.254.0.0/16 -j REJECT --reject-with tcp-reset
COMMIT
`;
const opened = image
  .replace('-A INPUT -j REJECT', `-A ${kubelet}\n-A INPUT -j REJECT`)
  .replace('-A FORWARD -j REJECT', `-A ${pods}\n-A FORWARD -j REJECT`);

beforeEach(() => {
  rmSync(folder, { recursive: true });
  mkdirSync(bin, { recursive: true });
  mkdirSync(stubs);
  writeFileSync(calls, '');
  write(savedRules, image);
  for (const name of ['logger', 'systemctl', 'sleep', 'apt-get']) {
    stub(name, `echo "${name} $*" >>${calls}`);
  }
  stub('nft', 'exit 0');
  stub(
    'iptables',
    `case $2 in -C) grep -qxFe "$*" ${folder}/kernel ;; *) shift 2; echo "-w -C $*" >>${folder}/kernel ;; esac`,
  );
  mirror({ silentFor: 0, exitCode: 0 });
});

describe('the user data for Oracle Cloud', () => {
  test('explains its variables at the top', () => {
    const explained = [...oracleTemplate.matchAll(/^# {3}(\w+) /gm)].map(([, name]) => name);
    expect(explained.toSorted()).toEqual([...variablesIn(oracleTemplate)].toSorted());
  });

  test('has no text that templatefile or envsubst would replace by mistake', () => {
    const names = [...oracleTemplate.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name = '']) => name);
    expect(names.filter((name) => !variablesIn(oracleTemplate).includes(name))).toEqual([]);
    expect(oracleTemplate).not.toMatch(/%\{/);
  });

  test('has only files, and no password', () => {
    expect(Object.keys(asUserData(filledIn(filled, oracleTemplate)))).toEqual(['write_files']);
    expect(oracleTemplate).not.toMatch(/password|token|--?u(ser)?[ =]/i);
  });

  test('is valid for cloud-init once it is filled in', ({ skip }) => {
    skip(spawnSync('cloud-init', ['--version']).error !== undefined, 'needs cloud-init');
    write('/user-data.yaml', filledIn(filled, oracleTemplate));
    const { status } = spawnSync('cloud-init', ['schema', '--config-file', join(root, 'user-data.yaml')]);
    expect(status).toBe(0);
  });
});

describe('the script of the user data for Oracle Cloud', () => {
  test('waits for a mirror that cannot be reached at first, then installs and starts Slipway', () => {
    mirror({ silentFor: 3, exitCode: 7 });
    expect(boot()).toBe(0);
    const line = `logger -s -t slipway -p user.notice cloud-init: ${filled.slipway_url} cannot be reached yet; `;
    const wait = [`curl ${filled.slipway_url}`, expect.stringContaining(line), 'sleep 5'];
    expect(called()).toEqual([
      ...wait,
      ...wait,
      ...wait,
      `curl ${filled.slipway_url}`,
      'slipway install',
      'systemctl restart --no-block slipway.service',
    ]);
  });

  test('continues to wait after a reboot, and removes itself once Slipway is installed', () => {
    mirror({ silentFor: 1, exitCode: 28 });
    stub('sleep', 'kill -9 $PPID');
    expect(boot()).not.toBe(0);
    expect(existsSync(join(root, perBoot))).toBe(true);
    expect(reboot()).toBe(0);
    expect(called().at(-1)).toBe('systemctl restart --no-block slipway.service');
    expect(existsSync(join(root, perBoot))).toBe(false);
  });

  test('fails if the server of the executable answers with an error', () => {
    mirror({ silentFor: 1, exitCode: 22 });
    expect(boot()).toBe(1);
    expect(called().at(-1)).toMatch(/^logger .* -p user\.err .*answers with an error; is the file there\?$/);
  });

  test('fails without running a file that has another digest', () => {
    expect(boot({ ...filled, slipway_sha256: '0'.repeat(64) })).toBe(1);
    expect(called()).toEqual([
      `curl ${filled.slipway_url}`,
      expect.stringContaining(`has the sha256 ${sha256}`),
    ]);
  });

  test('fails without starting the daemon if slipway install fails, and tries again at the next boot', () => {
    writeFileSync(join(folder, 'broken'), '');
    expect(boot()).toBe(1);
    expect(called().at(-1)).toMatch(/^logger .*slipway install failed/);
    rmSync(join(folder, 'broken'));
    expect(reboot()).toBe(0);
  });

  test.each(['/usr/local/bin/slipway', '/usr/bin/slipway'])(
    'uses an executable in the image without a download if it is the wanted build: %s',
    (path) => {
      write(path, slipway);
      expect(boot()).toBe(0);
      expect(called()).toEqual(['slipway install', 'systemctl restart --no-block slipway.service']);
    },
  );

  test('fails if the image has a package of another build', () => {
    write('/usr/bin/slipway', '#!/bin/sh\n');
    expect(boot()).toBe(1);
    expect(called()).toEqual([expect.stringMatching(/^logger .*the image has the slipway package/)]);
  });

  test('installs a missing nftables, which NAT needs, before the daemon starts', () => {
    stub('nft', 'exit 127');
    expect(boot()).toBe(0);
    expect(called().slice(2)).toEqual([
      'apt-get -q update',
      'apt-get -qy install nftables',
      'systemctl restart --no-block slipway.service',
    ]);
  });

  test.each(Object.keys(filled))('fails and names an unfilled variable: %s', (name) => {
    const { [name]: _, ...others }: Record<string, string> = filled;
    expect(boot(others)).toBe(1);
    const line = `cloud-init: the user data's ${name} was not filled in; create the VM anew with it`;
    expect(called()).toEqual([`logger -s -t slipway -p user.err ${line}`]);
  });
});

describe('the firewall rules of the image', () => {
  test('get each rule of the user data once, before the first rule that rejects, in the saved file and the kernel', () => {
    writeFileSync(join(folder, 'broken'), '');
    boot();
    reboot();
    expect(readFileSync(join(root, savedRules), 'utf8')).toBe(opened);
    expect(kernel()).toEqual([kubelet, pods]);
  });

  test('stay unchanged without consent', () => {
    expect(boot({ ...filled, firewall: '' })).toBe(0);
    expect(readFileSync(join(root, savedRules), 'utf8')).toBe(image);
    expect(kernel()).toEqual([]);
  });

  test('make the script fail if the image does not save them in /etc/iptables/rules.v4', () => {
    rmSync(join(root, savedRules));
    expect(boot()).toBe(1);
    expect(called()).toEqual([expect.stringContaining('the rules of the firewall were not added')]);
  });
});

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content, { mode: 0o755 });
}

function stub(name: string, script: string): void {
  writeFileSync(join(stubs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/**
 * Replaces curl with a script whose first `silentFor` calls fail with this exit code; later calls download the
 * executable.
 */
function mirror({ silentFor, exitCode }: { readonly silentFor: number; readonly exitCode: number }): void {
  writeFileSync(join(folder, 'release'), slipway);
  // The last two arguments of curl are the file for -o and the address.
  stub(
    'curl',
    `for each; do at=$of; of=$each; done\necho "curl $of" >>${calls}
[ "$(grep -c ^curl ${calls})" -gt ${silentFor} ] || exit ${exitCode}\ncp ${folder}/release "$at"`,
  );
}

function called(): readonly string[] {
  return readFileSync(calls, 'utf8').trim().split('\n');
}

/** Returns the rules that the script added to the kernel; empty if it added none. */
function kernel(): readonly string[] {
  const file = join(folder, 'kernel');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().replaceAll('-w -C ', '').split('\n') : [];
}

/**
 * Writes the files of the user data, and runs the script as the first boot does. Returns the exit code of the script.
 */
function boot(values: Readonly<Record<string, string>> = filled): number | null {
  for (const { path, content } of asUserData(filledIn(values, oracleTemplate)).write_files) {
    const places =
      /\/usr\/local\/bin|(?<!\/usr\/local)\/(?:etc|usr\/bin|usr\/lib\/systemd\/system)\/(?:slipway|iptables)/g;
    write(
      path,
      content.replace(places, (place) => join(root, place)),
    );
  }
  return reboot();
}

/**
 * Runs the script as each boot does. Returns its exit code, or `null` if a signal killed the script or the script no
 * longer exists.
 */
function reboot(): number | null {
  return spawnSync(join(root, perBoot), [], { env: { PATH: `${stubs}:${process.env.PATH}` } }).status;
}
