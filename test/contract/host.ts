import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../src/agent/engine/digest.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import type { Command, Host } from '../../src/agent/engine/host.ts';
import { Underway } from '../../src/agent/engine/jobs.ts';
import { TooManyBytes } from '../../src/agent/engine/large-files.ts';
import { Secret, sensitive } from '../../src/agent/engine/secret.ts';

/** A Host to check, its folder `root`, which at first contains only `startFiles`, and the means to prepare a check. */
export interface Stage {
  readonly host: Host;
  readonly root: string;
  /** The URL of a server that answers each request with the result of `answerOf`. */
  readonly url: string;
  /** The URL of a TLS server, and its certificate, which no CA that the machine trusts has signed. */
  readonly tls: { readonly url: string; readonly certificate: string };
  /** Changes the user and group of a path as `chown -h` does; on a real machine, this requires root. */
  give(path: string, user: number, group: number): Promise<void>;
  /** Creates a SQLite database at a path from SQL. */
  makeDatabase(path: string, sql: string): Promise<void>;
  /** Creates a snapshot of etcd with the revisions `realRevisions`, whole or damaged. */
  makeSnapshot(path: string, how: 'whole' | 'cut' | 'changed'): Promise<void>;
  /** Resolves once the running job has ended. A job that ends only after an abort signal would block this call. */
  jobEnded(): Promise<void>;
  dispose(): Promise<void>;
}

export type MakeStage = () => Promise<Stage>;

/** The initial files below `root`: content and mode, or the target of a link. */
export const startFiles: Readonly<Record<string, { content: string; mode: number } | { link: string }>> = {
  'etc/plain.conf': { content: 'größe = 1\n', mode: 0o640 },
  'etc/other.conf': { content: 'b', mode: 0o600 },
  'etc/alias.conf': { link: 'plain.conf' },
  'etc/dangling.conf': { link: 'nothing' },
};

/** Returns the server's answer to a request from the contract's tests. */
export function answerOf(method: string, path: string, body: string) {
  if (method === 'GET' && path === '/hello') {
    return { status: 200, headers: { 'x-greeting': 'hi' }, body: 'hello' };
  }
  if (method === 'GET' && path === '/moved') {
    return { status: 302, headers: { location: '/hello' }, body: '' };
  }
  if (['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) && path === '/echo') {
    return { status: 201, headers: {}, body: `echo ${body}` };
  }
  return { status: 404, headers: {}, body: 'no such page' };
}

/** The commands that the contract's tests run; a real host runs them with `sh`. */
export const commands = {
  mixed: { file: 'sh', args: ['-c', 'printf out; printf err >&2; exit 3'] },
  fine: { file: 'sh', args: ['-c', 'printf "$GREETING"'], env: { GREETING: 'good day' } },
  leak: {
    file: 'sh',
    args: ['-c', 'echo "token $TOKEN is wrong" >&2; exit 1'],
    env: { TOKEN: new Secret('hunter2') },
  },
  missing: { file: 'slipway-no-such-program', args: ['--version'] },
} satisfies Record<string, Command>;

/** Checks the whole contract of a Host. */
export function describeHost(name: string, make: MakeStage): void {
  describe(name, () => {
    describeReading(make);
    describeChanging(make);
    describeDoing(make);
    describeLargeFiles(make);
    describeDatabases(make);
    describeSnapshots(make);
    describeCompression(make);
    describeJobs(make);
  });
}

/** Checks the contract of every HostReader. */
export function describeReading(make: MakeStage): void {
  const stage = staged(make);

  test('reads a file with its mode and time', async () => {
    const found = await stage.host.readFile(`${stage.root}/etc/plain.conf`);
    expect(found).toMatchObject({ content: 'größe = 1\n', mode: 0o640 });
    expect(Math.abs((found?.modifiedAt ?? 0) - stage.host.now())).toBeLessThan(60_000);
  });

  test('reads a file through a link', async () => {
    expect((await stage.host.readFile(`${stage.root}/etc/alias.conf`))?.content).toBe('größe = 1\n');
  });

  test.each(['etc/none', 'none/none', 'etc/plain.conf/none', 'etc/dangling.conf'])(
    'returns undefined when it reads %s',
    async (path) => {
      expect(await stage.host.readFile(`${stage.root}/${path}`)).toBeUndefined();
    },
  );

  test('refuses to read a directory', async () => {
    expect(await reasonOf(stage.host.readFile(`${stage.root}/etc`))).toBe('FileSystemError');
  });

  test('describes the entry at a path without following links', async () => {
    const { host, root } = stage;
    expect(await host.stat(`${root}/etc/plain.conf`)).toMatchObject({ kind: 'file', mode: 0o640, size: 12 });
    expect(await host.stat(`${root}/etc`)).toMatchObject({ kind: 'directory', mode: 0o755 });
    expect(await host.stat(`${root}/etc/alias.conf`)).toMatchObject({ kind: 'link', target: 'plain.conf' });
    expect(await host.stat(`${root}/etc/dangling.conf`)).toMatchObject({ kind: 'link', target: 'nothing' });
    expect(await host.stat(`${root}/etc/none`)).toBeUndefined();
    expect(await host.stat(`${root}/etc/plain.conf/none`)).toBeUndefined();
  });

  test('reports no foreign owner for files of this user', async () => {
    const { host, root } = stage;
    for (const name of ['etc', 'etc/plain.conf', 'etc/alias.conf']) {
      expect(Object.keys((await host.stat(`${root}/${name}`)) ?? {}).filter(isForeign)).toEqual([]);
    }
  });

  describe.skipIf(process.getuid?.() !== 0)('a file of another user (needs root, for chown)', () => {
    test.each(['etc', 'etc/plain.conf', 'etc/alias.conf'])(
      'is reported with user and group: %s',
      async (name) => {
        const path = `${stage.root}/${name}`;
        await stage.give(path, 12_345, 23_456);
        const owner = { foreignOwner: '12345:23456', foreignUser: 12_345, foreignGroup: 23_456 };
        expect(await stage.host.stat(path)).toMatchObject(owner);
        if (name === 'etc/plain.conf') {
          expect(await stage.host.readFile(path)).toMatchObject(owner);
        }
      },
    );

    test('has no foreign user if only its group is foreign', async () => {
      const path = `${stage.root}/etc/plain.conf`;
      await stage.give(path, 0, 23_456);
      const found = await stage.host.stat(path);
      expect(found).toMatchObject({ foreignOwner: '0:23456', foreignGroup: 23_456 });
      expect(found).not.toHaveProperty('foreignUser');
    });
  });

  test('returns the size and the digest of a file, also through a link', async () => {
    const { host, root } = stage;
    const expected = { bytes: 12, sha256: sha256('größe = 1\n') };
    expect(await host.digestFile(`${root}/etc/plain.conf`)).toEqual(expected);
    expect(await host.digestFile(`${root}/etc/alias.conf`)).toEqual(expected);
    expect(await host.digestFile(`${root}/etc/none`)).toBeUndefined();
    expect(await reasonOf(host.digestFile(`${root}/etc`))).toBe('FileSystemError');
  });

  test('returns the sorted names in a directory, and an empty list for a missing directory', async () => {
    const { host, root } = stage;
    expect(await host.list(`${root}/etc`)).toEqual([
      'alias.conf',
      'dangling.conf',
      'other.conf',
      'plain.conf',
    ]);
    expect(await host.list(`${root}/none`)).toEqual([]);
    expect(await reasonOf(host.list(`${root}/etc/plain.conf`))).toBe('FileSystemError');
  });

  test('returns the exit code, stdout and stderr of a query that fails', async () => {
    expect(await stage.host.query(commands.mixed)).toEqual({ exitCode: 3, stdout: 'out', stderr: 'err' });
  });

  test('returns exit code 127 for a query of a program that is not installed', async () => {
    expect((await stage.host.query(commands.missing)).exitCode).toBe(127);
  });

  test('returns the answer to a GET, with header names in lower case', async () => {
    const { status, headers, body } = await stage.host.get({ url: `${stage.url}/hello` });
    expect({ status, body, greeting: headers['x-greeting'] }).toEqual({
      status: 200,
      body: 'hello',
      greeting: 'hi',
    });
  });

  test('returns the certificate of a TLS server that it does not trust', async () => {
    const { host, tls } = stage;
    expect(await host.peerCertificate(tls.url)).toBe(tls.certificate);
  });

  test('reports a port without a server as unreachable when it reads a certificate', async () => {
    expect(await reasonOf(stage.host.peerCertificate('https://127.0.0.1:1'))).toBe('Unreachable');
  });

  test.each([
    ['/none', 404],
    ['/moved', 302],
  ])('returns the answer to GET %s with its status %i', async (path, status) => {
    expect((await stage.host.get({ url: stage.url + path })).status).toBe(status);
  });
}

/** Checks the contract of every Host that stores files, on a disk or in an overlay. */
export function describeChanging(make: MakeStage): void {
  const stage = staged(make);

  test.each([
    ['0600', 0o600],
    ['0644', 0o644],
    ['0755', 0o755],
  ])('writes a file with mode %s, and creates its directories', async (_, mode) => {
    const path = `${stage.root}/var/lib/thing/file`;
    await stage.host.writeFile(path, 'größe', { mode });
    expect(await stage.host.readFile(path)).toMatchObject({ content: 'größe', mode });
    expect(await stage.host.stat(path)).toMatchObject({ kind: 'file', mode, size: 7 });
    expect(await stage.host.stat(`${stage.root}/var/lib`)).toMatchObject({
      kind: 'directory',
      mode: 0o755,
    });
    expect(await stage.host.list(`${stage.root}/var/lib/thing`)).toEqual(['file']);
  });

  test('writes the value of a secret to a file', async () => {
    const path = `${stage.root}/token`;
    await stage.host.writeFile(
      path,
      sensitive((show) => `token: ${show(new Secret('hunter2'))}`),
      { mode: 0o600 },
    );
    expect((await stage.host.readFile(path))?.content).toBe('token: hunter2');
  });

  test('replaces the content and mode of an existing file', async () => {
    const path = `${stage.root}/etc/plain.conf`;
    await stage.host.writeFile(path, 'new', { mode: 0o600 });
    expect(await stage.host.readFile(path)).toMatchObject({ content: 'new', mode: 0o600 });
    expect(await stage.host.list(`${stage.root}/etc`)).toHaveLength(4);
  });

  test('replaces a link, not its target, when it writes a file', async () => {
    const { host, root } = stage;
    await host.writeFile(`${root}/etc/alias.conf`, 'own', { mode: 0o644 });
    expect(await host.stat(`${root}/etc/alias.conf`)).toMatchObject({ kind: 'file' });
    expect((await host.readFile(`${root}/etc/plain.conf`))?.content).toBe('größe = 1\n');
  });

  test.each(['file', 'link'])('never replaces a directory with a %s', async (kind) => {
    const { host, root } = stage;
    const path = `${root}/etc`;
    const attempt = kind === 'file' ? host.writeFile(path, 'x', { mode: 0o644 }) : host.link(path, 'x');
    expect(await reasonOf(attempt)).toBe('FileSystemError');
    expect(await host.list(path)).toHaveLength(4);
    expect(await host.list(root)).toEqual(['etc']);
  });

  test('refuses to write below a file', async () => {
    const path = `${stage.root}/etc/plain.conf/x`;
    expect(await reasonOf(stage.host.writeFile(path, 'x', { mode: 0o644 }))).toBe('FileSystemError');
  });

  test('creates and replaces links', async () => {
    const { host, root } = stage;
    await host.link(`${root}/bin/kubectl`, 'k3s');
    expect(await host.stat(`${root}/bin/kubectl`)).toMatchObject({ kind: 'link', target: 'k3s' });
    await host.writeFile(`${root}/bin/k3s`, 'binary', { mode: 0o755 });
    expect((await host.readFile(`${root}/bin/kubectl`))?.content).toBe('binary');
    await host.link(`${root}/bin/kubectl`, '../etc/other.conf');
    expect((await host.readFile(`${root}/bin/kubectl`))?.content).toBe('b');
    expect(await host.list(`${root}/bin`)).toEqual(['k3s', 'kubectl']);
  });

  test('renames a file over another', async () => {
    const { host, root } = stage;
    await host.rename(`${root}/etc/plain.conf`, `${root}/etc/other.conf`);
    expect((await host.readFile(`${root}/etc/other.conf`))?.content).toBe('größe = 1\n');
    expect(await host.stat(`${root}/etc/plain.conf`)).toBeUndefined();
    expect(await host.list(`${root}/etc`)).toEqual(['alias.conf', 'dangling.conf', 'other.conf']);
  });

  test('renames a directory with all its files, including new files', async () => {
    const { host, root } = stage;
    await host.writeFile(`${root}/etc/new.conf`, 'n', { mode: 0o644 });
    await host.remove(`${root}/etc/other.conf`);
    await host.rename(`${root}/etc`, `${root}/old/etc`);
    expect(await host.list(`${root}/old/etc`)).toEqual([
      'alias.conf',
      'dangling.conf',
      'new.conf',
      'plain.conf',
    ]);
    expect((await host.readFile(`${root}/old/etc/alias.conf`))?.content).toBe('größe = 1\n');
    expect(await host.stat(`${root}/etc`)).toBeUndefined();
    expect(await host.list(root)).toEqual(['old']);
  });

  test('refuses to rename a missing file', async () => {
    expect(await reasonOf(stage.host.rename(`${stage.root}/none`, `${stage.root}/x`))).toBe(
      'FileSystemError',
    );
  });

  test('removes files, links and directories, and does nothing if the path is missing', async () => {
    const { host, root } = stage;
    await host.remove(`${root}/etc/alias.conf`);
    await host.remove(`${root}/none/none`);
    expect(await host.list(`${root}/etc`)).toEqual(['dangling.conf', 'other.conf', 'plain.conf']);
    await host.remove(`${root}/etc`);
    expect(await host.list(`${root}/etc`)).toEqual([]);
    expect(await host.readFile(`${root}/etc/plain.conf`)).toBeUndefined();
    await host.writeFile(`${root}/etc/plain.conf`, 'again', { mode: 0o644 });
    expect(await host.list(`${root}/etc`)).toEqual(['plain.conf']);
  });
}

/** Checks the contract of every Host that makes real changes. */
export function describeDoing(make: MakeStage): void {
  const stage = staged(make);

  test('runs a command with its environment variables', async () => {
    expect(await stage.host.run(commands.fine)).toMatchObject({ exitCode: 0, stdout: 'good day' });
  });

  test('throws CommandFailed with the exit code and the end of stderr for a command that fails', async () => {
    await expect(stage.host.run(commands.mixed)).rejects.toMatchObject({
      reason: 'CommandFailed',
      message: expect.stringMatching(/exit code 3.*err$/),
    });
  });

  test('reads a file of 4 MiB and refuses a larger file', async () => {
    const path = `${stage.root}/large`;
    await stage.host.writeFile(path, 'x'.repeat(4 * 1024 ** 2), { mode: 0o600 });
    expect((await stage.host.readFile(path))?.content).toHaveLength(4 * 1024 ** 2);
    await stage.host.writeFile(path, 'x'.repeat(4 * 1024 ** 2 + 1), { mode: 0o600 });
    await expect(stage.host.readFile(path)).rejects.toMatchObject({
      reason: 'FileSystemError',
      message: expect.stringContaining(`Cannot read ${path}: it is larger than 4 MiB`),
    });
  });

  test('does not start a command whose signal is aborted', async () => {
    await expect(stage.host.run(commands.fine, AbortSignal.abort())).rejects.toThrow('aborted');
  });

  test('throws CommandNotFound for a program that is not installed', async () => {
    expect(await reasonOf(stage.host.run(commands.missing))).toBe('CommandNotFound');
  });

  test('shows no secret of the environment in an error', async () => {
    const error = await stage.host.run(commands.leak).catch((thrown: Error) => thrown);
    expect(`${error}`).toContain('token ‹redacted› is wrong');
    expect(JSON.stringify(error) + `${error}`).not.toContain('hunter2');
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)('sends the body of a %s request', async (method) => {
    const request = { method, url: `${stage.url}/echo`, body: new Secret('größe=hunter2') };
    const first = await stage.host.send(request);
    // The second request shows that the body of the first one did not remain in a connection that is kept.
    const second = await stage.host.send({ ...request, body: 'plain' });
    expect([first, second]).toMatchObject([
      { status: 201, body: 'echo größe=hunter2' },
      { status: 201, body: 'echo plain' },
    ]);
  });

  test('returns a secret that it obtains from a callback', async () => {
    const secret = await stage.host.obtain('a secret', async () => new Secret('hunter2'));
    expect(secret.reveal()).toBe('hunter2');
  });

  test('has a monotonic clock that advances with time', async () => {
    const [start, wall] = [stage.host.monotonic(), stage.host.now()];
    await stage.host.sleep(20);
    const passed = stage.host.monotonic() - start;
    expect(passed).toBeGreaterThanOrEqual(19);
    expect(Math.abs(passed - (stage.host.now() - wall))).toBeLessThan(1_000);
  });

  test('ends a sleep after its time, or at once if its signal is aborted', async () => {
    const start = stage.host.now();
    await stage.host.sleep(5);
    expect(stage.host.now() - start).toBeGreaterThanOrEqual(4);
    await stage.host.sleep(3_600_000, AbortSignal.abort());
    expect(stage.host.now() - start).toBeLessThan(60_000);
  });
}

/** Checks the contract of every Host with background jobs. */
export function describeJobs(make: MakeStage): void {
  const stage = staged(make);
  const work = () => Promise.resolve('done');
  const never = (signal: AbortSignal) =>
    new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const jobAt = (name: string, subject = 'a') => ({
    trace: `${stage.root}/run/${name}.json`,
    what: `fetch ${subject}`,
    subject,
  });

  test('keeps the trace of a job only while the job runs, and returns the result once', async () => {
    const { host } = stage;
    const job = jobAt('one');
    expect(await host.job(job.trace)).toBeUndefined();
    await expect(host.perform(job, work)).rejects.toBeInstanceOf(Underway);
    expect(await host.stat(job.trace)).toMatchObject({ kind: 'file', mode: 0o644 });
    await stage.jobEnded();
    expect(await host.job(job.trace)).toBeUndefined();
    expect(await host.stat(job.trace)).toBeUndefined();
    expect(await host.perform(job, () => expect.fail('begun again'))).toBe('done');
    await expect(host.perform(job, work)).rejects.toBeInstanceOf(Underway);
    await stage.jobEnded();
  });

  test('shows the description and the start time of a running job', async () => {
    const { host } = stage;
    const job = jobAt('one');
    const thrown = await host.perform(job, never).catch((error: unknown) => error);
    const running = await host.job(job.trace);
    expect(running).toMatchObject({ what: 'fetch a', subject: 'a' });
    expect(Math.abs(Date.parse(running?.since ?? '') - host.now())).toBeLessThan(60_000);
    expect(thrown).toMatchObject({ job: { what: 'fetch a', since: running?.since } });
    await expect(host.perform(job, () => expect.fail('begun twice'))).rejects.toBeInstanceOf(Underway);
  });

  test('throws the error of a job once, unchanged', async () => {
    const { host } = stage;
    const job = jobAt('one');
    const error = new NodeError('DownloadFailed', 'gone', { retry: { after: 7 } });
    await expect(host.perform(job, () => Promise.reject(error))).rejects.toBeInstanceOf(Underway);
    await stage.jobEnded();
    await expect(host.perform(job, () => expect.fail('begun again'))).rejects.toBe(error);
    await expect(host.perform(job, work)).rejects.toBeInstanceOf(Underway);
    await stage.jobEnded();
  });

  test('ends a running job before it begins a job with another subject and the same trace', async () => {
    const { host } = stage;
    let isAborted = false;
    const first = (signal: AbortSignal) => never(signal).finally(() => (isAborted = signal.aborted));
    await expect(host.perform(jobAt('one', 'a'), first)).rejects.toBeInstanceOf(Underway);
    await expect(host.perform(jobAt('one', 'b'), never)).rejects.toBeInstanceOf(Underway);
    expect(isAborted).toBe(true);
    expect(await host.job(jobAt('one').trace)).toMatchObject({ subject: 'b' });
  });

  test('runs jobs with different traces concurrently', async () => {
    const { host } = stage;
    for (const name of ['one', 'two']) {
      await expect(host.perform(jobAt(name, name), never)).rejects.toBeInstanceOf(Underway);
    }
    for (const name of ['one', 'two']) {
      expect(await host.job(jobAt(name).trace)).toMatchObject({ subject: name });
    }
  });

  test.each(['', '{', '{"format":1}', '[]'])('finds no job in a trace that contains %j', async (text) => {
    const { trace } = jobAt('one');
    await stage.host.writeFile(trace, text, { mode: 0o644 });
    expect(await stage.host.job(trace)).toBeUndefined();
  });
}

/** Checks the contract of a Host about files of any size. */
function describeLargeFiles(make: MakeStage): void {
  const stage = staged(make);

  test('copies a file to a private file in private directories', async () => {
    const { host, root } = stage;
    expect(await host.copyFile(`${root}/etc/plain.conf`, `${root}/copies/a/b`)).toBe('copied');
    expect(await host.readFile(`${root}/copies/a/b`)).toMatchObject({ content: 'größe = 1\n', mode: 0o600 });
    for (const folder of ['copies', 'copies/a']) {
      expect(await host.stat(`${root}/${folder}`)).toMatchObject({ kind: 'directory', mode: 0o700 });
    }
    expect(await host.list(`${root}/copies/a`)).toEqual(['b']);
  });

  test.each(['other.conf', 'dangling.conf', ''])('never copies a file over etc/%s', async (name) => {
    const { host, root } = stage;
    const to = `${root}/etc/${name}`.replace(/\/$/, '');
    expect(await host.copyFile(`${root}/etc/plain.conf`, to)).toBe('exists');
    expect((await host.readFile(`${root}/etc/other.conf`))?.content).toBe('b');
    expect(await host.list(`${root}/etc`)).toHaveLength(4);
  });

  test('uploads a file, and returns the answer', async () => {
    const { host, root, url } = stage;
    const request = { url: `${url}/echo`, file: `${root}/etc/plain.conf`, bytes: 12, timeout: 60_000 };
    const answer = { status: 201, body: 'echo größe = 1\n' };
    expect([await host.upload(request), await host.upload(request)]).toMatchObject([answer, answer]);
    expect(await host.upload({ ...request, url: `${url}/none` })).toMatchObject({ status: 404 });
  });

  test.each([
    ['is missing', 'etc/none', 12],
    ['is smaller than stated', 'etc/plain.conf', 13],
    ['is larger than stated', 'etc/plain.conf', 11],
  ])('does not upload a file that %s', async (_, name, bytes) => {
    const { host, root, url } = stage;
    const upload = host.upload({ url: `${url}/echo`, file: `${root}/${name}`, bytes, timeout: 60_000 });
    expect(await reasonOf(upload)).toBe('FileSystemError');
  });

  test('fetches a file into a private file, and replaces what is there', async () => {
    const { host, root, url } = stage;
    const request = { url: `${url}/hello`, file: `${root}/etc/alias.conf`, limit: 5, timeout: 60_000 };
    const answer = { status: 200, headers: { 'x-greeting': 'hi' }, body: '' };
    expect(await host.fetchFile(request)).toMatchObject(answer);
    expect(await host.stat(request.file)).toMatchObject({ kind: 'file', mode: 0o600 });
    expect((await host.readFile(request.file))?.content).toBe('hello');
    expect((await host.readFile(`${root}/etc/plain.conf`))?.content).toBe('größe = 1\n');
  });

  test('fetches no file above the limit, and none from a missing page or through a redirect', async () => {
    const { host, root, url } = stage;
    const request = { url: `${url}/hello`, file: `${root}/etc/other.conf`, limit: 4, timeout: 60_000 };
    await expect(host.fetchFile(request)).rejects.toBeInstanceOf(TooManyBytes);
    const missing = await host.fetchFile({ ...request, url: `${url}/none` });
    expect(missing).toMatchObject({ status: 404, body: 'no such page' });
    expect(await host.fetchFile({ ...request, url: `${url}/moved` })).toMatchObject({ status: 302 });
    expect((await host.readFile(request.file))?.content).toBe('b');
    expect(await host.list(`${root}/etc`)).toHaveLength(4);
  });

  test('begins no transfer whose signal was aborted', async () => {
    const { host, root, url } = stage;
    const file = `${root}/etc/plain.conf`;
    const upload = host.upload({ url: `${url}/echo`, file, bytes: 12, timeout: 9 }, AbortSignal.abort());
    await expect(upload).rejects.toMatchObject({ name: 'AbortError' });
    const fetch = host.fetchFile({ url: `${url}/hello`, file, limit: 9, timeout: 9 }, AbortSignal.abort());
    await expect(fetch).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('leaves nothing of a copy whose source is missing or whose signal was aborted', async () => {
    const { host, root } = stage;
    expect(await reasonOf(host.copyFile(`${root}/etc/none`, `${root}/b`))).toBe('FileSystemError');
    const copy = host.copyFile(`${root}/etc/plain.conf`, `${root}/b`, AbortSignal.abort());
    await expect(copy).rejects.toMatchObject({ name: 'AbortError' });
    expect(await host.list(root)).toEqual(['etc']);
  });
}

const things =
  "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO thing (name) VALUES ('a'), ('b');";
const queries = { names: 'SELECT name FROM thing ORDER BY id', most: 'SELECT max(id) FROM thing' };
const answers = { names: ['a', 'b'], most: ['2'] };

/** Checks the contract of a Host about SQLite databases. */
function describeDatabases(make: MakeStage): void {
  const stage = staged(make);

  test('reads a database: its size, its digest, and the answers to queries', async () => {
    const path = `${stage.root}/a.db`;
    await stage.makeDatabase(path, things);
    const facts = await stage.host.readDatabase(path, queries);
    expect(facts).toEqual({
      bytes: (await stage.host.stat(path))?.size,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      answers,
    });
  });

  test('finds no database at a path without a file', async () => {
    expect(await stage.host.readDatabase(`${stage.root}/none.db`, queries)).toBeUndefined();
  });

  test('copies a database to a private file that has the same answers', async () => {
    const [from, to] = [`${stage.root}/a.db`, `${stage.root}/copies/b.db`];
    await stage.makeDatabase(from, things);
    const facts = await stage.host.copyDatabase({ from, to, queries, room: 1 });
    expect(facts.answers).toEqual(answers);
    expect(await stage.host.stat(to)).toMatchObject({ kind: 'file', mode: 0o600, size: facts.bytes });
    expect(await stage.host.readDatabase(to, queries)).toEqual(facts);
    expect(await stage.host.list(`${stage.root}/copies`)).toEqual(['b.db']);
  });

  test('refuses to read or copy a file that is not a database, or to copy a missing file', async () => {
    const { host, root } = stage;
    const [from, to] = [`${root}/etc/plain.conf`, `${root}/b.db`];
    expect(await reasonOf(host.readDatabase(from, queries))).toBe('DatabaseDamaged');
    expect(await reasonOf(host.copyDatabase({ from, to, queries, room: 1 }))).toBe('DatabaseDamaged');
    const missing = { from: `${root}/none.db`, to, queries, room: 1 };
    expect(await reasonOf(host.copyDatabase(missing))).toBe('DatabaseDamaged');
    expect(await host.stat(to)).toBeUndefined();
  });

  test('leaves no copy that cannot answer a query', async () => {
    const [from, to] = [`${stage.root}/a.db`, `${stage.root}/b.db`];
    await stage.makeDatabase(from, things);
    const other = { count: 'SELECT count(*) FROM another' };
    expect(await reasonOf(stage.host.copyDatabase({ from, to, queries: other, room: 1 }))).toBe(
      'DatabaseDamaged',
    );
    expect(await stage.host.stat(to)).toBeUndefined();
  });

  test('does not begin a copy without enough free space', async () => {
    const [from, to] = [`${stage.root}/a.db`, `${stage.root}/b.db`];
    await stage.makeDatabase(from, things);
    const copy = stage.host.copyDatabase({ from, to, queries, room: 2 ** 60 });
    expect(await reasonOf(copy)).toBe('DiskFull');
    expect(await stage.host.stat(to)).toBeUndefined();
  });

  test('does not begin a copy whose signal was aborted', async () => {
    const [from, to] = [`${stage.root}/a.db`, `${stage.root}/b.db`];
    await stage.makeDatabase(from, things);
    const copy = stage.host.copyDatabase({ from, to, queries, room: 1 }, AbortSignal.abort());
    await expect(copy).rejects.toMatchObject({ name: 'AbortError' });
    expect(await stage.host.stat(to)).toBeUndefined();
  });
}

/** Checks the contract of a Host about snapshots of etcd. */
function describeSnapshots(make: MakeStage): void {
  const stage = staged(make);
  const questions = {
    newest: 'revision',
    objects: { count: '/registry/' },
    tokens: { names: '/bootstrap/' },
  } as const;

  test('reads a snapshot: its size, its digest, and the answers to questions', async () => {
    const path = `${stage.root}/a.snapshot`;
    await stage.makeSnapshot(path, 'whole');
    expect(await stage.host.readSnapshot(path, questions)).toEqual({
      ...(await stage.host.digestFile(path)),
      answers: { newest: ['46'], objects: ['41'], tokens: ['/bootstrap/0123456789ab'] },
    });
    expect(await stage.host.readSnapshot(path, {})).toMatchObject({ answers: {} });
  });

  test('finds no snapshot at a path without a file', async () => {
    expect(await stage.host.readSnapshot(`${stage.root}/none`, questions)).toBeUndefined();
  });

  test.each(['cut', 'changed'] as const)('refuses a snapshot that was %s', async (how) => {
    const path = `${stage.root}/a.snapshot`;
    await stage.makeSnapshot(path, how);
    expect(await reasonOf(stage.host.readSnapshot(path, questions))).toBe('DatabaseDamaged');
  });

  test('refuses a file that is not a snapshot', async () => {
    const { host, root } = stage;
    expect(await reasonOf(host.readSnapshot(`${root}/etc/plain.conf`, questions))).toBe('DatabaseDamaged');
  });
}

/** Checks the contract of a Host about compressed files. */
function describeCompression(make: MakeStage): void {
  const stage = staged(make);
  const limit = 1_000;
  const files = () => {
    const folder = `${stage.root}/etc`;
    return {
      plain: `${folder}/plain.conf`,
      packed: `${folder}/packed/it.zst`,
      back: `${folder}/packed/back`,
    };
  };

  test('compresses a file, and decompresses it to the same content, both private', async () => {
    const { host } = stage;
    const { plain, packed, back } = files();
    const made = await host.compress({ from: plain, to: packed, limit });
    expect(made.plain).toEqual({ bytes: 12, sha256: sha256('größe = 1\n') });
    expect(made.packed.bytes).toBe((await host.stat(packed))?.size);
    expect(await host.decompress({ from: packed, to: back, limit })).toEqual(made);
    expect((await host.readFile(back))?.content).toBe('größe = 1\n');
    expect([await host.stat(packed), await host.stat(back)]).toMatchObject([
      { mode: 0o600 },
      { mode: 0o600 },
    ]);
    expect(await host.list(`${stage.root}/etc/packed`)).toEqual(['back', 'it.zst']);
  });

  test('refuses to decompress a file that was not compressed, or beyond the limit, and leaves no file', async () => {
    const { host } = stage;
    const { plain, packed, back } = files();
    await host.compress({ from: plain, to: packed, limit });
    expect(await reasonOf(host.decompress({ from: packed, to: back, limit: 11 }))).toBe('DatabaseDamaged');
    expect(await reasonOf(host.decompress({ from: plain, to: back, limit }))).toBe('DatabaseDamaged');
    expect(await host.stat(back)).toBeUndefined();
  });

  test('reports a missing file, and does not begin if the signal was aborted', async () => {
    const { host } = stage;
    const { plain, packed, back } = files();
    const missing = host.compress({ from: `${plain}.none`, to: packed, limit });
    expect(await reasonOf(missing)).toBe('FileSystemError');
    const aborted = host.compress({ from: plain, to: back, limit }, AbortSignal.abort());
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    expect(await host.list(`${stage.root}/etc/packed`)).toEqual([]);
  });
}

function isForeign(field: string): boolean {
  return field.startsWith('foreign');
}

function staged(make: MakeStage): Stage {
  let stage: Stage | undefined;
  beforeEach(async () => {
    stage = await make();
  });
  afterEach(() => stage?.dispose());
  const current = () => {
    if (!stage) {
      throw new Error('no stage outside a test');
    }
    return stage;
  };
  return {
    get host() {
      return current().host;
    },
    get root() {
      return current().root;
    },
    get url() {
      return current().url;
    },
    get tls() {
      return current().tls;
    },
    give: (path, user, group) => current().give(path, user, group),
    makeDatabase: (path, sql) => current().makeDatabase(path, sql),
    makeSnapshot: (path, how) => current().makeSnapshot(path, how),
    jobEnded: () => current().jobEnded(),
    dispose: () => current().dispose(),
  };
}

async function reasonOf(attempt: Promise<unknown>): Promise<string> {
  const thrown = await attempt.then(
    () => 'nothing was thrown',
    (error: unknown) => error,
  );
  return thrown instanceof NodeError ? thrown.reason : `not a NodeError: ${thrown}`;
}
