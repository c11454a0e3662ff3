import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { verifyExecutable } from '../../../packaging/verify.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-verify-'));
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * Creates a script that behaves like the arm64 executable, but runs the shell commands `fault` first; returns its path.
 */
function executableWith(name: string, fault: string): string {
  const path = join(folder, name);
  // A script that ends without reading its request would make the writer of the request fail.
  const script = `#!/bin/sh
[ $1 != credential-provider ] || read -r request || :
${fault}
case $1 in
  version) echo 'slipway 0.1.0 (0123456789ab, Node 24.21.0, arm64)' ;;
  config) echo 'role: server   # command line' ;;
  plan) echo 'get:  https://github.com/k3s-io/k3s/releases/download/v1/k3s-arm64'; exit 2 ;;
  *) echo 'slipway-credential-provider: this is not a CredentialProviderRequest' >&2; exit 1 ;;
esac
`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

function verify(...command: readonly [string, ...string[]]): void {
  verifyExecutable('arm64', command, join(folder, 'root'));
}

test('verifyExecutable accepts an executable that answers like Slipway, even in an emulator', () => {
  const sound = executableWith('sound', '');
  verify(sound);
  verify('/bin/sh', sound);
});

test.each([
  ['is plain Node.js', () => process.execPath, 'version'],
  [
    'is built for another processor',
    () => executableWith('foreign', '[ $1 != version ] || { echo "slipway 0.1.0 (0, Node 24, x64)"; exit; }'),
    'version',
  ],
  ['cannot read its settings', () => executableWith('config', '[ $1 != config ] || exit 1'), 'config'],
  ['plans no change for an empty machine', () => executableWith('plan', '[ $1 != plan ] || exit 0'), 'plan'],
  [
    'accepts an invalid request from kubelet',
    () => executableWith('provider', '[ $1 != credential-provider ] || exit 0'),
    'credential-provider',
  ],
])('verifyExecutable rejects an executable that %s', (_, path, command) => {
  expect(() => verify(path())).toThrow(`does not work as Slipway: ${command} ended with `);
});
