import { readFile, stat } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../../src/agent/engine/secret.ts';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { temporaryFolder } from './folder.ts';

const host = nodeHost({ env: { PATH: process.env.PATH } });

test('a command gets only HOME, LANG, PATH and its own variables', async () => {
  const { stdout } = await host.query({ file: 'env', args: [], env: { TOKEN: new Secret('t'), PLAIN: 'p' } });
  const names = stdout
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0])
    .sort();
  expect(names).toEqual(['HOME', 'LANG', 'PATH', 'PLAIN', 'TOKEN']);
  expect(stdout).toContain('TOKEN=t\n');
});

test('a command gets the proxy and the CA file of the settings in its environment', async () => {
  const proxied = nodeHost({
    proxy: 'http://proxy.test:3128',
    noProxy: ['.corp.test'],
    caFile: '/ca.pem',
    env: {},
  });
  const { stdout } = await proxied.query({ file: 'env', args: [] });
  expect(stdout).toContain('HTTPS_PROXY=http://proxy.test:3128\n');
  expect(stdout).toContain('no_proxy=localhost,127.0.0.1,::1,169.254.169.254,.corp.test\n');
  expect(stdout).toContain('SSL_CERT_FILE=/ca.pem\n');
  expect(stdout).toContain('PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n');
});

test('the stdin of a command is empty', async () => {
  expect(await host.query({ file: 'cat', args: [], timeout: 50_000 })).toMatchObject({
    exitCode: 0,
    stdout: '',
  });
});

test('a command that signal n kills has the exit code 128 + n', async () => {
  expect((await host.query({ file: 'sh', args: ['-c', 'kill -9 $$'] })).exitCode).toBe(137);
});

test('only the last MiB of a long command output is kept', async () => {
  const { stdout } = await host.query({ file: 'sh', args: ['-c', 'head -c 3000000 /dev/zero; printf end'] });
  expect(stdout).toHaveLength(1024 * 1024);
  expect(stdout.endsWith('\0end')).toBe(true);
});

test('a command that is not an executable file has the exit code 126', async () => {
  const path = `${await temporaryFolder()}/data`;
  await host.writeFile(path, 'x', { mode: 0o644 });
  expect((await host.query({ file: path, args: [] })).exitCode).toBe(126);
});

test('a command that exceeds its timeout is killed with all its children', async () => {
  const folder = await temporaryFolder();
  const script = `(trap "" TERM; echo $$ > ${folder}/started; while :; do sleep 0.05; date > ${folder}/alive; done) & wait`;
  await expect(host.query({ file: 'sh', args: ['-c', script], timeout: 2_000 })).rejects.toMatchObject({
    reason: 'CommandTimedOut',
    message: expect.stringContaining('2 s'),
  });
  await setTimeout(100);
  const last = (await stat(`${folder}/alive`)).mtimeMs;
  await setTimeout(200);
  expect((await stat(`${folder}/alive`)).mtimeMs).toBe(last);
});

test('an aborted signal stops a command, and the error contains the output so far', async () => {
  const folder = await temporaryFolder();
  const stop = new AbortController();
  const script = `echo waiting >&2; touch ${folder}/started; exec sleep 600`;
  const error = host.run({ file: 'sh', args: ['-c', script], timeout: 50_000 }, stop.signal);
  const failed = error.catch((thrown: unknown) => thrown);
  while ((await host.stat(`${folder}/started`)) === undefined) {
    await setTimeout(20);
  }
  stop.abort();
  expect(await failed).toMatchObject({
    reason: 'CommandFailed',
    message: expect.stringContaining('exit code 143. It wrote: waiting'),
  });
});

test('the caller does not wait for background processes that a command leaves behind', async () => {
  const { stdout } = await host.query({ file: 'sh', args: ['-c', 'sleep 600 & echo $!'], timeout: 50_000 });
  expect(stdout).toMatch(/^\d+\n$/);
  process.kill(Number(stdout));
});

test('no shell interprets the arguments of a command', async () => {
  const folder = await temporaryFolder();
  const { stdout } = await host.query({ file: 'echo', args: [`$(touch ${folder}/x)`, ';', '*'] });
  expect(stdout).toBe(`$(touch ${folder}/x) ; *\n`);
  await expect(readFile(`${folder}/x`)).rejects.toThrow('ENOENT');
});

test.each([
  [
    { file: 'true', args: [], env: { GITHUB_TOKEN: new Secret('h\0u\0n\0ter2') } },
    'the variable GITHUB_TOKEN',
  ],
  [{ file: 'true', args: ['fine', 'h\0u\0n\0ter2'] }, 'argument 2'],
])(
  'the error about a NUL character names the variable or argument, not its value',
  async (command, place) => {
    const error = await host.run(command).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      reason: 'CommandFailed',
      endedBy: 'person',
      message: expect.stringContaining(`${place} holds a NUL character`),
    });
    expect(inspect(error)).not.toContain('ter2');
  },
);

test('a command that the system refuses to start is reported as CommandFailed', async () => {
  const command = { file: 'true', args: ['x'.repeat(4_000_000)] };
  await expect(host.run(command)).rejects.toMatchObject({ name: 'NodeError', reason: 'CommandFailed' });
});

test('a timeout beyond the range of a timer does not kill a command at once', async () => {
  const command = { file: 'sleep', args: ['0.2'], timeout: 600 * 3_600_000 };
  expect((await host.run(command)).exitCode).toBe(0);
});
