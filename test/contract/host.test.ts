import {
  chmod,
  lchown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { Recorded } from '../../src/agent/engine/errors.ts';
import { redacted, reveal, Secret } from '../../src/agent/engine/secret.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { createJobs } from '../../src/agent/host/process/jobs.ts';
import { recordingHost } from '../../src/agent/host/recording/recording-host.ts';
import { damagedSnapshot, realRevisions, realSnapshot } from '../lab/etcd-snapshot.ts';
import { memoryHost, type StartFile, unreachable } from '../lab/memory-host.ts';
import { snapshotText } from '../lab/memory-snapshots.ts';
import { issue, makeAuthority } from '../lab/standins/k3s-certificates.ts';
import {
  answerOf,
  commands,
  describeChanging,
  describeHost,
  describeReading,
  type Stage,
  startFiles,
} from './host.ts';

describeHost('the machine in memory', async () => memoryStage());
describeHost('the real machine', realStage);

describe('the dry run', () => {
  describeReading(recordingStage);
  describeChanging(recordingStage);

  test('changes nothing on the disk', async () => {
    const { host: real, root, url, dispose } = await realStage();
    const host = recordingHost(real);
    const before = await everything(root);
    await host.writeFile(`${root}/etc/plain.conf`, 'new', { mode: 0o600 });
    await host.writeFile(`${root}/new/file`, 'new', { mode: 0o600 });
    await host.link(`${root}/etc/link`, 'x');
    await host.rename(`${root}/etc/other.conf`, `${root}/etc/renamed.conf`);
    await host.remove(`${root}/etc/alias.conf`);
    for (const attempt of [
      host.run({ file: 'touch', args: [`${root}/touched`] }),
      host.send({ method: 'POST', url: `${url}/echo` }),
      host.copyDatabase({ from: `${root}/a.db`, to: `${root}/b.db`, queries: {}, room: 0 }),
      host.copyFile(`${root}/etc/plain.conf`, `${root}/copied`),
      host.upload({ url: `${url}/echo`, file: `${root}/etc/plain.conf`, bytes: 12, timeout: 1 }),
      host.fetchFile({ url: `${url}/hello`, file: `${root}/fetched`, limit: 9, timeout: 1 }),
      host.download({
        url: `${url}/hello`,
        checksum: { url: `${url}/sums`, name: 'hello' },
        path: `${root}/hello`,
        mode: 0o755,
      }),
      host.perform({ trace: `${root}/job.json`, what: 'wait', subject: '' }, () =>
        host.send({ method: 'POST', url: `${url}/echo` }).then(() => ''),
      ),
    ]) {
      await expect(attempt).rejects.toBeInstanceOf(Recorded);
    }
    const secret = await host.obtain(
      'the token',
      async () => new Secret(await Promise.reject(new Error('fetched'))),
    );
    expect([secret.reveal(), `${secret}`]).toEqual([redacted, redacted]);
    expect(host.journal.map(({ kind }) => kind)).toEqual([
      ...[
        'write',
        'write',
        'link',
        'rename',
        'remove',
        'run',
        'send',
        'copy',
        'copyFile',
        'upload',
        'fetch',
        'download',
        'send',
        'obtain',
      ],
    ]);
    expect(await everything(root)).toEqual(before);
    await dispose();
  });
});

const own = issue(makeAuthority('k3s-server-ca'), { commonName: 'k3s', hosts: ['127.0.0.1'] });

function memoryStage(): Stage {
  const files = Object.entries(startFiles).map(
    ([path, file]) => [`/root/${path}`, file] satisfies [string, StartFile],
  );
  const url = 'http://there.test';
  const host = memoryHost({ files: Object.fromEntries(files) })
    .on(commands.mixed, { exitCode: 3, stdout: 'out', stderr: 'err' })
    .on(commands.fine, ({ env }) => reveal(env?.GREETING ?? ''))
    .on(commands.leak, ({ env }) => ({ exitCode: 1, stderr: `token ${reveal(env?.TOKEN ?? '')} is wrong\n` }))
    .on(commands.missing, { exitCode: 127 })
    .onRequest({ url: /^http:\/\/there\.test\// }, ({ method, url, body }) =>
      answerOf(method, new URL(url).pathname, reveal(body ?? '')),
    )
    .onPeer('https://127.0.0.1:1', unreachable('https://127.0.0.1:1'))
    .onPeer('https://there.test', own.certificate);
  return {
    host,
    root: '/root',
    url,
    tls: { url: 'https://there.test', certificate: own.certificate },
    give: async (path, user, group) => host.files.give(path, `${user}:${group}`),
    makeDatabase: async (path, sql) => host.files.write(path, sql),
    async makeSnapshot(path, how) {
      const text = snapshotText(realRevisions);
      host.files.write(path, { whole: text, cut: text.slice(0, -1), changed: `x${text.slice(1)}` }[how]);
    },
    jobEnded: async () => host.advance(0),
    dispose: async () => {},
  };
}

async function realStage(): Promise<Stage> {
  const root = await mkdtemp(join(tmpdir(), 'slipway-host-'));
  for (const [name, file] of Object.entries(startFiles)) {
    const path = join(root, name);
    await mkdir(dirname(path), { recursive: true });
    if ('link' in file) {
      await symlink(file.link, path);
    } else {
      await writeFile(path, file.content);
      await chmod(path, file.mode);
    }
  }
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) {
      body += chunk;
    }
    const answer = answerOf(request.method ?? '', request.url ?? '', body);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const tls = createTlsServer({ cert: own.certificate, key: own.key });
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
  const { port: tlsPort } = tls.address() as AddressInfo;
  let hasEnded = Promise.withResolvers<void>();
  const jobs = createJobs({ onEnd: () => hasEnded.resolve() });
  return {
    host: nodeHost({ jobs }),
    root,
    url: `http://127.0.0.1:${port}`,
    tls: { url: `https://127.0.0.1:${tlsPort}`, certificate: own.certificate },
    give: lchown,
    async makeDatabase(path, sql) {
      const database = new DatabaseSync(path);
      database.exec(`PRAGMA journal_mode = WAL; ${sql}`);
      database.close();
    },
    makeSnapshot: (path, how) => writeFile(path, how === 'whole' ? realSnapshot() : damagedSnapshot(how)),
    async jobEnded() {
      await hasEnded.promise;
      hasEnded = Promise.withResolvers();
    },
    async dispose() {
      await jobs.end();
      server.closeAllConnections();
      server.close();
      tls.close();
      await rm(root, { recursive: true });
    },
  };
}

async function recordingStage(): Promise<Stage> {
  const stage = await realStage();
  return { ...stage, host: recordingHost(stage.host) };
}

async function everything(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) {
      found[path] = await readFile(path, 'utf8');
    } else {
      found[path] = entry.isSymbolicLink() ? `-> ${await readlink(path)}` : 'directory';
    }
  }
  return found;
}
