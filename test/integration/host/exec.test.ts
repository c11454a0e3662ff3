import { readFile, stat } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Secret } from '../../../src/agent/core/secret.ts';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { temporaryFolder } from './folder.ts';

const host = nodeHost({ env: { PATH: process.env.PATH } });

test('a command has a small environment of its own', async () => {
  const { stdout } = await host.query({ file: 'env', args: [], env: { TOKEN: new Secret('t'), PLAIN: 'p' } });
  const names = stdout
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0])
    .sort();
  expect(names).toEqual(['HOME', 'LANG', 'PATH', 'PLAIN', 'TOKEN']);
  expect(stdout).toContain('TOKEN=t\n');
});

test('a command gets the proxy and the CA of the settings', async () => {
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

test('stdin is closed', async () => {
  expect(await host.query({ file: 'cat', args: [], timeout: 5_000 })).toMatchObject({
    exitCode: 0,
    stdout: '',
  });
});

test('a command ended by a signal has exit code 128 + n', async () => {
  expect((await host.query({ file: 'sh', args: ['-c', 'kill -9 $$'] })).exitCode).toBe(137);
});

test('of a long output the end is kept', async () => {
  const { stdout } = await host.query({ file: 'sh', args: ['-c', 'head -c 3000000 /dev/zero; printf end'] });
  expect(stdout).toHaveLength(1024 * 1024);
  expect(stdout.endsWith('\0end')).toBe(true);
});

test('a file that cannot be executed is no success', async () => {
  const path = `${await temporaryFolder()}/data`;
  await host.writeFile(path, 'x', { mode: 0o644 });
  expect((await host.query({ file: path, args: [] })).exitCode).toBe(126);
});

test('after its time a command ends with all it started', async () => {
  const folder = await temporaryFolder();
  const script = `(trap "" TERM; echo $$ > ${folder}/started; while :; do sleep 0.05; date > ${folder}/alive; done) & wait`;
  const start = performance.now();
  await expect(host.query({ file: 'sh', args: ['-c', script], timeout: 200 })).rejects.toMatchObject({
    reason: 'CommandTimedOut',
    message: expect.stringContaining('0.2 s'),
  });
  expect(performance.now() - start).toBeLessThan(4_000);
  await setTimeout(100);
  const last = (await stat(`${folder}/alive`)).mtimeMs;
  await setTimeout(200);
  expect((await stat(`${folder}/alive`)).mtimeMs).toBe(last);
});

test('nobody waits for what a command leaves in the background', async () => {
  const start = performance.now();
  const { stdout } = await host.query({ file: 'sh', args: ['-c', 'sleep 8 & echo done'], timeout: 6_000 });
  expect(stdout).toBe('done\n');
  expect(performance.now() - start).toBeLessThan(4_000);
});

test('the arguments of a command are not read by a shell', async () => {
  const folder = await temporaryFolder();
  const { stdout } = await host.query({ file: 'echo', args: [`$(touch ${folder}/x)`, ';', '*'] });
  expect(stdout).toBe(`$(touch ${folder}/x) ; *\n`);
  await expect(readFile(`${folder}/x`)).rejects.toThrow('ENOENT');
});
