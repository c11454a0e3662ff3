/** Tests how a separate process reports invalid arguments, settings and environment variables. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleLauncher, node, requestFor, run } from '../credential-provider/world.ts';
import { answerTo, type Case, canary, type Ended } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-process-'));
let script: string;
beforeAll(async () => {
  script = await bundleLauncher(folder);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const config = ['config', '--root', '{root}', '--cloud', 'static'];

/**
 * Runs a case as a separate process with only this environment, and `input` on stdin; resolves to the exit code,
 * outputs and changed paths.
 */
function answerOfProcess(
  given: Pick<Case, 'args' | 'files'>,
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<Ended> {
  return answerTo(given, async (args) => {
    const { exitCode, ...said } = await run([node, script, ...args], input, env);
    return { exitCode: exitCode ?? -1, ...said };
  });
}

describe('a process with invalid input', () => {
  test.each<readonly [name: string, given: Pick<Case, 'args' | 'files'>, error: RegExp]>([
    ['an unknown command', { args: ['plann'] }, /command line plann: is not a command; did you mean plan\?/],
    [
      'an unknown option',
      { args: [...config, '--rol', 'a'] },
      /--rol: is not an option .* did you mean --role\?/,
    ],
    [
      'invalid settings',
      { args: config, files: { 'etc/slipway/config.yaml': `rolle: ${canary}` } },
      /config\.yaml: rolle: is not a setting; did you mean `role`\?/,
    ],
    [
      'a daemon whose --root is missing',
      { args: ['run', '--root', '{root}/a'] },
      /--root: .* does not exist; make it/,
    ],
  ])('exits with 1 and prints only one error: %s', async (_, given, error) => {
    const ended = await answerOfProcess(given);
    expect(ended).toMatchObject({ exitCode: 1, stdout: '', written: [] });
    expect(ended.stderr).toMatch(/^slipway: InvalidSettings: .+\n$/);
    expect(ended.stderr).toMatch(error);
    expect(ended.stderr).not.toContain(canary);
  });
});

describe('an environment variable', () => {
  test.each<readonly [names: string, env: Readonly<Record<string, string>>]>([
    ['AZURE_CLIENT_SECRET', { AZURE_CLIENT_SECRET: canary }],
    ['NODE_EXTRA_CA_CERTS', { NODE_EXTRA_CA_CERTS: `/nowhere/${canary}` }],
    ['NODE_OPTIONS', { NODE_OPTIONS: '--no-warnings' }],
    [
      'NODE_TLS_REJECT_UNAUTHORIZED, SSL_CERT_FILE',
      { SSL_CERT_FILE: '/nowhere', NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    ],
  ])('is ignored and reported in one line: %s', async (names, env) => {
    const { exitCode, stdout, stderr, written } = await answerOfProcess({ args: config }, env);
    const own = stderr.split('\n').filter((line) => line.includes('slipway'));
    expect(own).toEqual([expect.stringContaining(`slipway: ignored from the environment: ${names};`)]);
    expect(own[0], 'the repair').toMatch(/unset them, and use settings instead/);
    expect(stdout + own).not.toContain(canary);
    expect(stdout).toMatch(/^cloud: static +# command line --cloud$/m);
    expect({ exitCode, written }).toEqual({ exitCode: 0, written: [] });
  });

  let usual: Ended | undefined;
  test.each([
    ['HTTPS_PROXY', `::no url::${canary}`],
    ['http_proxy', `ftp://me:${canary}@nowhere`],
    ['NO_PROXY', '*.*,//'],
    ['COLUMNS', 'many'],
    ['NO_COLOR', 'perhaps'],
    ['TERM', `\u001b[2J${canary}`],
    ['JOURNAL_STREAM', 'a:b'],
    ['SLIPWAY_ROLE', canary],
    ['HOME', ''],
    ['PATH', '/nowhere'],
  ])('has no effect: %s=%j', async (name, value) => {
    usual ??= await answerOfProcess({ args: config });
    expect(await answerOfProcess({ args: config }, { [name]: value })).toEqual({ ...usual, stderr: '' });
  });

  test('is ignored and reported by the daemon if systemd sets it to an invalid value', async () => {
    const env = { NOTIFY_SOCKET: `notify/${canary}`, WATCHDOG_USEC: `${canary} s` };
    const warnings = await firstWarnings(env, 2);
    expect(warnings[0]).toMatch(/^NOTIFY_SOCKET is not the path of a socket, .* remove the variable/);
    expect(warnings[1]).toMatch(/^WATCHDOG_USEC is not a number of microseconds, .* remove the variable/);
    expect(warnings.join()).not.toContain(canary);
  });
});

test('the credential provider refuses invalid arguments in one line that does not quote them', async () => {
  const args = ['credential-provider', '--rot', canary];
  const { exitCode, stdout, stderr } = await answerOfProcess({ args }, {}, requestFor('a.io/b'));
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toMatch(
    /^slipway-credential-provider: .*--root DIR and nothing else; correct args in its config\.yaml\n$/,
  );
  expect(stderr).not.toContain(canary);
});

/** Runs a daemon with this environment until it has logged `count` warnings; returns the warnings. */
async function firstWarnings(
  env: Readonly<Record<string, string>>,
  count: number,
): Promise<readonly string[]> {
  const root = mkdtempSync(join(folder, 'root-'));
  const args = [script, 'run', '--root', root, '--cloud', 'static'];
  const child = spawn(node, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const warnings: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    const { level, warning } = JSON.parse(line);
    if (level === 'warn') {
      warnings.push(warning);
    }
    if (warnings.length === count) {
      child.kill('SIGTERM');
    }
  }
  return warnings;
}
