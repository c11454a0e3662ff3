import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { check } from './console.ts';
import { executable, run } from './run.ts';

/** An agent without a cloud. Its address is set, because the machine has no network. */
const agent = [
  ...['--cloud', 'static', '--set', 'static.address=10.0.1.5', '--role', 'agent', '--server', '10.0.1.4'],
];

/** Tries the commands that change nothing, and the credential provider. */
export async function tryCommands(): Promise<void> {
  await check('version', () => {
    assert.match(run(executable, ['version']).stdout, /^slipway .*, arm64\)$/m);
  });
  await check('the executable restarts itself without hostile variables', () => {
    const { output } = run(executable, ['version'], { environment: { NODE_EXTRA_CA_CERTS: '/evil.pem' } });
    assert.match(output, /ignored from the environment: NODE_EXTRA_CA_CERTS/);
    assert.doesNotMatch(output, /cannot be run again/);
  });
  await check('config prints the same as on the machine that built it', () => {
    const { stdout } = run(executable, ['config', '--cloud', 'static', '--role', 'server']);
    assert.equal(stdout, readFileSync('/opt/expected-settings', 'utf8'));
  });
  await check('plan downloads K3s for arm64', () => {
    const { exitCode, output } = run(executable, ['plan', ...agent]);
    assert.match(output, /\/k3s-arm64$/m);
    assert.equal(exitCode, 2, output);
  });
  await check('doctor probes the machine', () => {
    const { stdout } = run(executable, ['doctor', '-o', 'json', ...agent]);
    const { diagnoses }: { diagnoses: readonly { about: string }[] } = JSON.parse(stdout);
    assert.deepEqual(
      [...new Set(diagnoses.map(({ about }) => about))],
      ['machine', 'network', 'cloud', 'node'],
    );
  });
  await check('the credential provider refuses a bad request', () => {
    const { exitCode, output } = run(executable, ['credential-provider'], { input: '{}' });
    assert.match(output, /^slipway-credential-provider: .* not a CredentialProviderRequest/);
    assert.equal(exitCode, 1);
  });
}
