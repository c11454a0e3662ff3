import { expect, test } from 'vitest';
import { serveTrick, tricks } from './impostors.ts';
import { endOf, rootWith, source, startScript, startSlipway } from './process.ts';

test.each([
  ['plan', []],
  ['config', []],
  ['doctor', []],
  ['apply', ['--timeout', '0.01']],
])(
  'slipway %s does not exit silently if an impostor answers for the metadata service',
  async (command, options) => {
    const imds = `http://127.0.0.1:${await serveTrick(tricks['switches to another protocol'])}`;
    const root = await rootWith({ cloud: 'azure', role: 'agent', azure: { imdsEndpoint: imds } });
    const child = startSlipway([command, ...options, '--root', root], ['ignore', 'pipe', 'pipe']);
    const { code, stdout, stderr } = await endOf(child);
    const output = stdout + stderr;
    expect({ command, code, output }).toMatchObject({
      code: command === 'config' ? 0 : 1,
      output: expect.stringContaining('metadata service'),
    });
  },
);

test('an impostor of the K3s server is reported as ServerUnreachable', async () => {
  const server = await serveTrick(tricks['switches to another protocol']);
  const { code, output } = await ended(`
    import { nodeHost } from ${JSON.stringify(source('agent/host/node-host.ts'))};
    import { serverCa } from ${JSON.stringify(source('agent/parts/k3s/membership/supervisor.ts'))};
    import { exitWith } from ${JSON.stringify(source('launcher/exit-code.ts'))};
    const asked = serverCa(nodeHost(), 'http://127.0.0.1:${server}', { firewall: 'a firewall' });
    await exitWith(asked.then(() => 0, ({ reason }) => (console.log(reason), 3)));`);
  expect({ code, output }).toEqual({ code: 3, output: 'ServerUnreachable\n' });
});

test('a command that waits for an event that cannot occur exits with an error message', async () => {
  const script = `
    import { exitWith } from ${JSON.stringify(source('launcher/exit-code.ts'))};
    await exitWith(new Promise(() => {}));`;
  expect(await ended(script)).toMatchObject({
    code: 1,
    output: expect.stringContaining('slipway: InternalError: '),
  });
});

async function ended(script: string) {
  const { code, stdout, stderr } = await endOf(startScript(script, ['ignore', 'pipe', 'pipe']));
  return { code, output: stdout + stderr };
}
