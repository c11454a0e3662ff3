import { expect, test } from 'vitest';
import { Recorded } from '../../../../../src/agent/engine/errors.ts';
import { Secret, sensitive } from '../../../../../src/agent/engine/secret.ts';
import { recordingHost } from '../../../../../src/agent/host/recording/recording-host.ts';
import { actionLine } from '../../../../lab/action-line.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';

const secret = sensitive((show) => `token: ${show(new Secret('hunter2'))}\n`);

function dryRun() {
  const real = memoryHost({
    files: { '/etc/x': { content: 'old', mode: 0o600 }, '/bin/kubectl': { link: 'k3s' } },
  });
  return { real, host: recordingHost(real) };
}

test('a dry run journals a write with the old mode and text of the file that it replaces', async () => {
  const { host } = dryRun();
  await host.writeFile('/etc/x', 'new', { mode: 0o644 });
  expect(host.journal).toEqual([
    { kind: 'write', path: '/etc/x', mode: 0o644, content: 'new', before: { mode: 0o600, content: 'old' } },
  ]);
});

test('a dry run journals a second write with the mode and text of the first', async () => {
  const { host } = dryRun();
  await host.writeFile('/etc/new', 'one', { mode: 0o644 });
  await host.writeFile('/etc/new', 'two', { mode: 0o644 });
  expect(host.journal[1]).toMatchObject({ before: { mode: 0o644, content: 'one' } });
});

test('a dry run journals neither the old nor the new text when it writes a secret', async () => {
  const { host } = dryRun();
  await host.writeFile('/etc/x', secret, { mode: 0o600 });
  expect(host.journal).toEqual([
    { kind: 'write', path: '/etc/x', mode: 0o600, content: 'token: ‹redacted›\n', before: { mode: 0o600 } },
  ]);
  expect((await host.readFile('/etc/x'))?.content).toBe('token: hunter2\n');
});

test('a dry run journals a write over an unreadable file with the old mode, without the old text', async () => {
  const { real } = dryRun();
  const unreadable = { ...real, ...reading(real), readFile: () => Promise.reject(new Error('EACCES')) };
  const host = recordingHost(unreadable);
  await host.writeFile('/etc/x', 'new', { mode: 0o644 });
  expect(host.journal).toEqual([
    { kind: 'write', path: '/etc/x', mode: 0o644, content: 'new', before: { mode: 0o600 } },
  ]);
});

test('a dry run journals an action with an unknown result and throws Recorded', async () => {
  const { real, host } = dryRun();
  const checksum = { url: 'http://m/sums', name: 'k3s' };
  const attempts = [
    host.run({ file: 'flux', args: ['bootstrap'], env: { TOKEN: new Secret('hunter2') } }),
    host.send({ method: 'POST', url: 'http://x/', body: secret }),
    host.copyDatabase({ from: '/a.db', to: '/b.db', queries: {}, room: 1 }),
    host.compress({ from: '/a.db', to: '/a.zst', limit: 1 }),
    host.decompress({ from: '/a.zst', to: '/a.db', limit: 1 }),
    host.copyFile('/a', '/b'),
    host.upload({ url: 'http://x/a', file: '/a', bytes: 1, timeout: 1 }),
    host.fetchFile({ url: 'http://x/a', file: '/a', limit: 1, timeout: 1 }),
    host.download({ url: 'http://m/k3s', checksum, path: '/bin/k3s', mode: 0o755, member: 'k3s' }),
  ];
  for (const attempt of attempts) {
    await expect(attempt).rejects.toBeInstanceOf(Recorded);
  }
  expect(host.journal).toEqual([
    { kind: 'run', command: 'TOKEN=‹redacted› flux bootstrap' },
    { kind: 'send', method: 'POST', url: 'http://x/', body: 'token: ‹redacted›\n' },
    { kind: 'copy', from: '/a.db', to: '/b.db' },
    { kind: 'compress', from: '/a.db', to: '/a.zst' },
    { kind: 'decompress', from: '/a.zst', to: '/a.db' },
    { kind: 'copyFile', from: '/a', to: '/b' },
    { kind: 'upload', from: '/a', url: 'http://x/a' },
    { kind: 'fetch', url: 'http://x/a', path: '/a' },
    { kind: 'download', url: 'http://m/k3s', path: '/bin/k3s', mode: 0o755, member: 'k3s' },
  ]);
  expect(real.journal).toEqual([]);
});

test('a dry run sends a GET request only if none of its headers is secret', async () => {
  const { real, host } = dryRun();
  real.onGet('http://x/', 'open to all');
  expect(await host.get({ url: 'http://x/', headers: { accept: 'text/plain' } })).toMatchObject({
    status: 200,
  });
  const headers = { accept: 'text/plain', authorization: secret };
  await expect(host.get({ url: 'http://x/?private', headers })).rejects.toBeInstanceOf(Recorded);
  expect(real.looks).toEqual(['http://x/']);
  expect(host.journal).toEqual([{ kind: 'send', method: 'GET', url: 'http://x/?private' }]);
});

test('a dry run journals links, renames and removals that change something', async () => {
  const { host } = dryRun();
  await host.link('/bin/kubectl', '../k3s');
  await host.rename('/etc/x', '/etc/y');
  await host.remove('/etc/y');
  await host.remove('/etc/y');
  expect(host.journal.map(actionLine)).toEqual([
    'link /bin/kubectl -> ../k3s',
    'rename /etc/x -> /etc/y',
    'remove /etc/y',
  ]);
  expect(host.journal[0]).toMatchObject({ before: 'k3s' });
});

test('a dry run names a secret without fetching it, and skips sleeps', async () => {
  const { real, host } = dryRun();
  const start = real.now();
  const got = await host.obtain('the join token', () => Promise.reject(new Error('fetched')));
  await host.sleep(1_000_000);
  expect([got.reveal(), real.now() - start, host.journal]).toEqual([
    '‹redacted›',
    0,
    [{ kind: 'obtain', what: 'the join token' }],
  ]);
});

function reading(real: ReturnType<typeof memoryHost>) {
  return {
    stat: (path: string) => real.stat(path),
    list: (path: string) => real.list(path),
    digestFile: (path: string) => real.digestFile(path),
    query: real.query.bind(real),
    readDatabase: real.readDatabase.bind(real),
    readSnapshot: real.readSnapshot.bind(real),
    get: real.get.bind(real),
    peerCertificate: real.peerCertificate.bind(real),
    job: real.job.bind(real),
    now: () => real.now(),
    monotonic: () => real.monotonic(),
  };
}
