import { strict as assert } from 'node:assert';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { check } from './console.ts';
import { ask } from './run.ts';
import { serviceRuns, unitsLeft, writeSettings } from './service.ts';

/** Tries the Debian package from its installation to its purge. */
export async function tryPackage(): Promise<void> {
  rmSync('/run/slipway', { recursive: true, force: true });
  writeSettings();
  await check('the package can be installed', install);
  await check('the service of the package becomes ready', serviceRuns);
  await check('the package can be purged right after an upgrade', () => {
    install();
    dpkg('--purge', 'slipway');
    assert.deepEqual(['/usr/bin/slipway', '/etc/slipway', '/var/lib/slipway'].filter(existsSync), []);
    assert.equal(unitsLeft(), '');
  });
}

function install(): void {
  const [name] = readdirSync('/opt/project/dist').filter((each) => each.endsWith('_arm64.deb'));
  dpkg('--install', `/opt/project/dist/${name}`);
}

/**
 * Runs dpkg without checks of dependencies, because the packages of this machine were only unpacked, and dpkg does not
 * know them. Throws an Error with the output if dpkg fails.
 */
function dpkg(...args: readonly string[]): void {
  ask('dpkg', '--force-depends', '--force-unsafe-io', ...args);
}
