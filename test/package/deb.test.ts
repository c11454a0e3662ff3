import { existsSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isInstalled } from '../../packaging/run.ts';
import { renderProviderConfig } from '../../src/agent/parts/registry/kubelet-config.ts';
import { aNode } from '../unit/agent/a-node.ts';
import { DebianRoot, lacksDebianRoot } from './debian-root.ts';
import { runProgram } from './executable.ts';

const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'));
const provider = '/var/lib/rancher/credentialprovider/config.yaml';
const script = '/var/lib/rancher/credentialprovider/bin/slipway-credential-provider';
const guard = '/etc/systemd/system/slipway-imds-guard.service';
const enabled = '/etc/systemd/system/multi-user.target.wants/slipway.service';

describe.each(['bookworm', 'trixie'])('the Debian package on %s', (suite) => {
  const lacks = lacksDebianRoot(suite);

  /**
   * Adds a test that gets a copy of the minimal Debian and removes the copy afterwards. Skips the test if the minimal
   * Debian cannot be used here.
   */
  function story(name: string, tell: (root: DebianRoot) => void): void {
    test(name, ({ skip }) => {
      skip(lacks !== undefined, lacks);
      const root = new DebianRoot(suite);
      try {
        tell(root);
      } finally {
        root.remove();
      }
    });
  }

  story('can be installed, removed, installed again and purged without systemd', (root) => {
    install(root);
    expect(root.run('slipway', 'version')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(root.run('slipway', 'config', '--cloud', 'static', '--role', 'server')).toMatchObject({
      exitCode: 0,
    });
    const unit = readFileSync(root.path('/usr/lib/systemd/system/slipway.service'), 'utf8');
    expect(unit).toContain('ExecStart=/usr/bin/slipway run\n');
    expect(isThere(root, enabled)).toBe(true);
    rmSync(root.path(enabled));
    install(root);
    expect(isThere(root, enabled), 'who disabled it meant it').toBe(false);

    root.write(provider, ownProvider);
    root.write(script, '#!/bin/sh\n', 0o755);
    root.write('/etc/slipway/config.yaml', 'cloud: static\n');
    root.write('/var/lib/slipway/join-token', 'token');
    expect(root.dpkg('--remove', 'slipway')).toMatchObject({ exitCode: 0 });
    expect(leftOf(root, ['/usr/bin/slipway', '/usr/lib/slipway', enabled, provider])).toEqual([]);
    root.write(guard, '');
    const kept = [script, guard, '/etc/slipway/config.yaml', '/var/lib/slipway/join-token'];
    expect(leftOf(root, kept)).toEqual(kept);

    install(root);
    expect(isThere(root, enabled)).toBe(true);
    expect(root.dpkg('--purge', 'slipway')).toMatchObject({ exitCode: 0 });
    expect(leftOf(root, [...kept, '/etc/slipway', '/var/lib/slipway', enabled])).toEqual([]);
  });

  story(
    'starts and restarts the daemon without waiting unless policy-rc.d forbids that, and stops the daemon on removal',
    (root) => {
      root.bootsSystemd();
      install(root);
      expect(root.told()).toEqual(['daemon-reload', 'start --no-block slipway.service']);
      install(root);
      expect(root.told()).toEqual(['daemon-reload', 'try-restart --no-block slipway.service']);
      root.write(
        '/usr/sbin/policy-rc.d',
        '#!/bin/sh\n[ "$*" = "slipway restart" ] && exit 101\nexit 104\n',
        0o755,
      );
      install(root);
      expect(root.told(), 'an upgrade is a restart, which is forbidden').toEqual(['daemon-reload']);
      rmSync(root.path('/usr/sbin/policy-rc.d'));
      expect(root.dpkg('--remove', 'slipway')).toMatchObject({ exitCode: 0 });
      const units = ['slipway.service', 'slipway-directories.service'];
      expect(root.told()).toEqual([
        expect.stringMatching(/stop slipway\.service slipway-directories\.service$/),
        'daemon-reload',
        ...[...units, 'slipway-imds-guard.service'].map((unit) => `reset-failed ${unit}`),
      ]);
    },
  );

  story(
    'removes the guard of the metadata service from the kernel when purged on a node without K3s',
    (root) => {
      install(root);
      root.bootsSystemd();
      root.write(guard, '');
      root.write('/usr/sbin/nft', '#!/bin/sh\nexec systemctl nft "$@"\n', 0o755);
      expect(root.dpkg('--purge', 'slipway')).toMatchObject({ exitCode: 0 });
      const told = root.told();
      const stopped = told.findIndex((line) => line.endsWith('stop slipway-imds-guard.service'));
      expect(stopped).toBeGreaterThan(-1);
      expect(told.slice(stopped + 1, stopped + 3)).toEqual([
        'nft delete table inet slipway_imds',
        'daemon-reload',
      ]);
      expect(told.at(-1)).toBe('reset-failed slipway-imds-guard.service');
      expect(isThere(root, guard)).toBe(false);
    },
  );

  story('keeps NAT for private hosts when purged', (root) => {
    install(root);
    root.write('/etc/systemd/system/slipway-nat.service', '');
    root.write('/etc/slipway/nat.nft', 'table ip slipway_nat {}');
    root.write('/etc/slipway/config.d/mine.yaml', '{}');
    expect(root.dpkg('--purge', 'slipway')).toMatchObject({ exitCode: 0 });
    const kept = ['/etc/systemd/system/slipway-nat.service', '/etc/slipway/nat.nft'];
    expect(leftOf(root, [...kept, '/etc/slipway/config.d/mine.yaml'])).toEqual(kept);
  });

  story("keeps the files that K3s needs, and another tool's credential provider, when purged", (root) => {
    install(root);
    root.write('/etc/systemd/system/k3s-agent.service', '');
    root.write('/var/lib/slipway/join-token', 'token');
    root.write(script, '#!/bin/sh\n', 0o755);
    root.write(guard, '');
    root.write(provider, ownProvider.replace('providers:', 'providers:\n  - name: acr-credential-provider'));
    expect(root.dpkg('--purge', 'slipway')).toMatchObject({ exitCode: 0 });
    const kept = ['/var/lib/slipway/join-token', script, provider, guard];
    expect(leftOf(root, kept)).toEqual(kept);
  });

  story('refuses to be installed beside the files of slipway install, and names the remedy', (root) => {
    for (const path of ['/usr/local/bin/slipway', '/etc/systemd/system/slipway.service']) {
      root.write(path, 'from an earlier install');
      const ended = root.install(debianPackage());
      expect(ended.exitCode).not.toBe(0);
      expect(ended.stderr).toContain(`${path} is there`);
      expect(ended.stderr).toContain('Run: slipway uninstall');
      expect(isThere(root, '/usr/bin/slipway')).toBe(false);
      rmSync(root.path(path));
    }
    install(root);
  });
});

test('lintian finds no error and no warning in the Debian package', ({ skip }) => {
  skip(!isInstalled('lintian'), 'needs lintian');
  const ended = runProgram('lintian', ['--fail-on', 'error,warning', '--allow-root', debianPackage()]);
  expect(ended).toMatchObject({ exitCode: 0, stdout: '' });
});

const ownProvider = renderProviderConfig(
  aNode('agent', { settings: { registries: { servers: ['myteam.azurecr.io'] } } }),
);

function debianPackage(): string {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const path = resolve('dist', `slipway_${version}_${architecture}.deb`);
  if (!existsSync(path)) {
    throw new Error(`${path} is missing: run npm run package first, where dpkg-deb is.`);
  }
  return path;
}

function install(root: DebianRoot): void {
  const ended = root.install(debianPackage());
  if (ended.exitCode !== 0) {
    process.stderr.write(`dpkg --install ended with ${ended.exitCode}:\n${ended.stdout}${ended.stderr}\n`);
  }
  expect(ended.exitCode, ended.stderr).toBe(0);
}

function leftOf(root: DebianRoot, paths: readonly string[]): readonly string[] {
  return paths.filter((path) => isThere(root, path));
}

/** True if the path exists, even as a symbolic link whose target is missing. */
function isThere(root: DebianRoot, path: string): boolean {
  return lstatSync(root.path(path), { throwIfNoEntry: false }) !== undefined;
}
