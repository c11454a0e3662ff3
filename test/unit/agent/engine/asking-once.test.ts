import { describe, expect, test } from 'vitest';
import { askingOnce } from '../../../../src/agent/engine/asking-once.ts';
import { NodeError } from '../../../../src/agent/engine/errors.ts';
import type { Host } from '../../../../src/agent/engine/host.ts';
import { Secret } from '../../../../src/agent/engine/secret.ts';
import { type MemoryHost, memoryHost } from '../../../lab/memory-host.ts';

const url = 'https://127.0.0.1:6443/api/v1/nodes/vm-1';
const command = { file: 'systemctl', args: ['show', 'k3s.service'] };
const download = {
  url: 'https://example.com/k3s',
  checksum: { url: 'https://example.com/sha256', name: 'k3s' },
  path: '/usr/local/bin/k3s',
  mode: 0o755,
};

function world() {
  const machine: MemoryHost = memoryHost({ files: { '/a': 'a' } })
    .on({ file: 'systemctl' }, (_, { looks }) => `${looks.length}`)
    .onRequest({ url: /./ }, (_, { looks }) => `${looks.length}`)
    .onDownload(/./, 'k3s');
  return { machine, host: askingOnce(machine) };
}

test('a host that asks once repeats neither a command nor a request', async () => {
  const { machine, host } = world();
  const answers = await Promise.all([host.query(command), host.query(command), host.get({ url })]);
  expect(await host.get({ url })).toBe(answers[2]);
  expect(answers[0]).toBe(answers[1]);
  expect(machine.looks).toEqual(['systemctl show k3s.service', url]);
});

test.each<[string, (host: Host) => Promise<unknown>]>([
  ['another command', (host) => host.query({ ...command, args: ['show', 'other.service'] })],
  ['the same command with another environment', (host) => host.query({ ...command, env: { LC_ALL: 'C' } })],
  ['the same request with another header', (host) => host.get({ url, headers: { accept: 'text/plain' } })],
  ['the same request with another trust', (host) => host.get({ url, trust: { ca: 'the CA' } })],
  [
    'the same request as another user',
    (host) => host.get({ url, trust: { ca: '', identity: { certificate: 'kubelet', key: new Secret('') } } }),
  ],
])('a host that asks once also asks %s', async (_, ask) => {
  const { machine, host } = world();
  await host.query(command);
  await host.get({ url });
  await ask(host);
  expect(machine.looks).toHaveLength(3);
});

test.each<[string, (host: Host) => Promise<unknown>]>([
  ['a command', (host) => host.query({ ...command, env: { TOKEN: new Secret('geheim') } })],
  ['a request', (host) => host.get({ url, headers: { authorization: new Secret('geheim') } })],
])('a host that asks once repeats %s with a secret, so that it keeps no secret answer', async (_, ask) => {
  const { machine, host } = world();
  await ask(host);
  await ask(host);
  expect(machine.looks).toHaveLength(2);
});

describe('a host that asks once', () => {
  function failing(reason: 'TimedOut' | 'Unreachable') {
    const { machine, host } = world();
    machine.onRequest(
      { url: (each) => each.startsWith(new URL(url).origin) },
      new NodeError(reason, 'no answer'),
    );
    return { machine, host, ask: (path: string) => host.get({ url: new URL(path, url).href }) };
  }

  test('does not wait for a silent server again, whatever the next request', async () => {
    const { machine, host, ask } = failing('TimedOut');
    for (const path of ['/a', '/a', '/b']) {
      await expect(ask(path)).rejects.toMatchObject({ reason: 'TimedOut' });
    }
    expect(machine.looks).toHaveLength(1);
    await host.get({ url: 'https://other.example.com/' });
    await host.sleep(1);
    await expect(ask('/a')).rejects.toMatchObject({ reason: 'TimedOut' });
    expect(machine.looks).toHaveLength(3);
  });

  test('sends the next request to a server that refuses connections, since that costs no time', async () => {
    const { machine, ask } = failing('Unreachable');
    for (const path of ['/a', '/a', '/b']) {
      await expect(ask(path)).rejects.toMatchObject({ reason: 'Unreachable' });
    }
    expect(machine.looks).toHaveLength(2);
  });
});

describe('a host that asks once asks again after', () => {
  test.each<[string, (host: Host) => Promise<unknown>]>([
    ['a write', (host) => host.writeFile('/b', '', { mode: 0o600 })],
    ['a new link', (host) => host.link('/c', '/a')],
    ['a rename', (host) => host.rename('/a', '/d')],
    ['a removal', (host) => host.remove('/a')],
    ['a command that changes something', (host) => host.run(command)],
    ['a failed command', (host) => host.run({ file: 'false', args: [] }).catch(() => undefined)],
    ['a request that changes something', (host) => host.send({ method: 'PATCH', url })],
    ['a download', (host) => host.download(download)],
    ['a sleep', (host) => host.sleep(1)],
  ])('%s', async (_, change) => {
    const { machine, host } = world();
    await host.query(command);
    await change(host);
    await host.query(command);
    expect(machine.looks).toHaveLength(2);
  });

  test('a change that was under way when the answer came', async () => {
    const { machine, host } = world();
    machine.on({ file: 'systemctl', args: /^restart/ }, async () => {
      await host.query(command);
      return '';
    });
    await host.run({ file: 'systemctl', args: ['restart', 'k3s.service'] });
    await host.query(command);
    expect(machine.looks).toHaveLength(2);
  });
});

test('a host that asks once reads a file each time', async () => {
  const { machine, host } = world();
  await host.readFile('/a');
  machine.files.write('/a', 'edited by hand');
  expect((await host.readFile('/a'))?.content).toBe('edited by hand');
});
