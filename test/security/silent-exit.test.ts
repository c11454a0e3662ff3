import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../integration/host/folder.ts';
import { serveTrick, tricks } from './impostors.ts';

const source = (name: string) => new URL(`../../src/${name}`, import.meta.url).href;

test.each([
  ['plan', []],
  ['config', []],
  ['doctor', []],
  ['apply', ['--timeout', '0.01']],
])(
  'an impostor of the metadata service does not end slipway %s with 0 and no word',
  async (command, options) => {
    const imds = `http://127.0.0.1:${await serveTrick(tricks['switches to another protocol'])}`;
    const root = await rootWith({ role: 'agent', azure: { imdsEndpoint: imds } });
    const script = `process.argv.splice(1, 1, 'slipway', ${JSON.stringify(command)}, ...${JSON.stringify([...options, '--root', root])}); await import(${JSON.stringify(source('launch.ts'))});`;
    const { code, output } = await ended(script);
    expect({ command, code, output }).toMatchObject({
      code: command === 'config' ? 0 : 1,
      output: expect.stringContaining('metadata service'),
    });
  },
);

test('an impostor of the K3s server is answered with ServerUnreachable', async () => {
  const server = await serveTrick(tricks['switches to another protocol']);
  const { code, output } = await ended(`
    import { nodeHost } from ${JSON.stringify(source('agent/host/node-host.ts'))};
    import { serverCa } from ${JSON.stringify(source('agent/k3s/server.ts'))};
    import { exitWith } from ${JSON.stringify(source('exit-code.ts'))};
    const asked = serverCa(nodeHost(), 'http://127.0.0.1:${server}');
    await exitWith(asked.then(() => 0, ({ reason }) => (console.log(reason), 3)));`);
  expect({ code, output }).toEqual({ code: 3, output: 'ServerUnreachable\n' });
});

test('a command that waits for something that cannot happen is an error with a message', async () => {
  const script = `
    import { exitWith } from ${JSON.stringify(source('exit-code.ts'))};
    await exitWith(new Promise(() => {}));`;
  expect(await ended(script)).toMatchObject({
    code: 1,
    output: expect.stringContaining('slipway: InternalError: '),
  });
});

async function rootWith(settings: object): Promise<string> {
  const root = await temporaryFolder();
  await mkdir(`${root}/etc/slipway`, { recursive: true });
  await writeFile(`${root}/etc/slipway/config.yaml`, JSON.stringify(settings));
  return root;
}

/** The exit code and all that a process printed. */
async function ended(script: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [out, error, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, output: out + error };
}
