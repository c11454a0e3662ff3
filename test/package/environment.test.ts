import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { executable, ignored, runProgram } from './executable.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-environment-'));
afterAll(() => rmSync(folder, { recursive: true }));

const evil = join(folder, 'evil.cjs');
const evilOpenssl = join(folder, 'openssl.cnf');
const trace = join(folder, 'trace');
writeFileSync(evil, `require('node:fs').writeFileSync(${JSON.stringify(trace)}, 'evil');`);
writeFileSync(evilOpenssl, 'nodejs_conf = evil\n[evil]\nengines = evil\n');

describe('the executable', () => {
  test.each([
    ['NODE_OPTIONS', `--require ${evil}`],
    ['NODE_OPTIONS', '--inspect=127.0.0.1:0'],
    ['NODE_V8_COVERAGE', trace],
    ['NODE_REDIRECT_WARNINGS', trace],
    ['NODE_EXTRA_CA_CERTS', join(folder, 'missing.pem')],
    ['NODE_TLS_REJECT_UNAUTHORIZED', '0'],
    ['NODE_DEBUG', 'fs,module,net'],
    ['NODE_ICU_DATA', folder],
    ['NODE_PATH', folder],
    ['OPENSSL_CONF', evilOpenssl],
    ['SSL_CERT_FILE', join(folder, 'missing.pem')],
  ])('ignores and reports %s=%s', (name, value) => {
    const ended = runProgram(executable(), ['--help'], { [name]: value });
    const bare = runProgram(executable(), ['--help']);
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout).toBe(bare.stdout);
    expect(complaintsOf(ended.stderr)).toEqual([ignored(name)]);
    expect(existsSync(trace)).toBe(false);
  });

  test('does not start with NODE_REPL_EXTERNAL_MODULE, which Node itself refuses', () => {
    const ended = runProgram(executable(), ['--help'], { NODE_REPL_EXTERNAL_MODULE: evil });
    expect(ended.exitCode).toBe(9);
    expect(existsSync(trace)).toBe(false);
  });
});

test('one line lists the ignored variables without their values', () => {
  const ended = runProgram(executable(), ['version'], { MSI_SECRET: 'hush', AZURE_CLIENT_ID: 'someone' });
  expect(ended.stderr).toBe(`${ignored('AZURE_CLIENT_ID', 'MSI_SECRET')}\n`);
});

test('the line about ignored variables is a warning in the journal', () => {
  const ended = runProgram(executable(), ['version'], { JOURNAL_STREAM: '8:1', NODE_DEBUG: 'fs' });
  expect(ended.stderr).toMatch(/^<4>slipway: ignored/);
});

test('the executable prints no message in an everyday environment', () => {
  const everyday = {
    HOME: '/root',
    LANG: 'C.UTF-8',
    TERM: 'xterm',
    NODE_ENV: 'test',
    HTTPS_PROXY: 'http://p:1',
  };
  expect(runProgram(executable(), ['version'], everyday).stderr).toBe('');
});

test('a daemon restarts itself without the ignored variables, and keeps its process id', async () => {
  const root = join(folder, 'root');
  mkdirSync(join(root, 'etc/slipway'), { recursive: true });
  writeFileSync(join(root, 'etc/slipway/config.yaml'), 'azure: { imdsEndpoint: http://127.0.0.1:9 }\n');
  const evils = {
    AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:9',
    IDENTITY_ENDPOINT: 'http://127.0.0.1:9',
    IMDS_ENDPOINT: 'http://127.0.0.1:9',
    MSI_ENDPOINT: 'http://127.0.0.1:9',
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
  };
  const env = { PATH: '/nowhere', SLIPWAY_KEPT: 'yes', ...evils };
  const child = spawn(executable(), ['run', '--root', root], { env, stdio: 'ignore' });
  try {
    await expect.poll(() => environmentOf(child.pid), { timeout: 60_000 }).not.toContain('IDENTITY_ENDPOINT');
    expect(environmentOf(child.pid).toSorted()).toEqual(['PATH', 'SLIPWAY_KEPT']);
    await setTimeout(500);
    expect(child.exitCode).toBe(null);
  } finally {
    child.kill('SIGKILL');
  }
});

/**
 * Returns the lines of stderr that are not empty, except Node's messages about the coverage that NODE_V8_COVERAGE
 * requests.
 */
function complaintsOf(stderr: string): readonly string[] {
  const coverage = /^(Failed to get 'result' from coverage profile response:|\{"id":4,.*Precise coverage.*)$/;
  return stderr.split('\n').filter((line) => line !== '' && !coverage.test(line));
}

function environmentOf(processId: number | undefined): readonly string[] {
  const entries = readFileSync(`/proc/${processId}/environ`, 'utf8').split('\0');
  return entries.filter((entry) => entry !== '').map((entry) => entry.split('=', 1).join());
}
