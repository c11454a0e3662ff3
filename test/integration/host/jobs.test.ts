import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Underway } from '../../../src/agent/engine/jobs.ts';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { createJobs } from '../../../src/agent/host/process/jobs.ts';
import { processIdentity } from '../../../src/agent/host/process/process-identity.ts';
import { temporaryFolder } from './folder.ts';
import { serveHttp } from './servers.ts';

const digest = '0'.repeat(64);

/**
 * Creates a separate folder with a Host that runs jobs in the background, and a job; `ends` gets an entry when a job
 * ends.
 */
async function setUp() {
  const root = await temporaryFolder();
  const ends: number[] = [];
  const jobs = createJobs({ root, onEnd: () => ends.push(1) });
  const job = { trace: `${root}/run/slipway/k3s.json`, what: 'fetch K3s', subject: 'v1' };
  return { root, jobs, ends, job, host: nodeHost({ root, jobs }) };
}

test('the trace of a job has a format number, and names the process of the job', async () => {
  const { job, jobs, host } = await setUp();
  const untilAborted = (signal: AbortSignal) => once(signal, 'abort').then(() => '');
  await expect(host.perform(job, untilAborted)).rejects.toBeInstanceOf(Underway);
  expect(JSON.parse(await readFile(job.trace, 'utf8'))).toEqual({
    ...{ format: 1, what: 'fetch K3s', subject: 'v1' },
    ...{ since: expect.stringMatching(/^\d{4}-.*:\d\dZ$/), process: await processIdentity(process.pid) },
  });
  await jobs.end();
  await expect(readFile(job.trace)).rejects.toThrow('ENOENT');
});

test('a job of another live process is visible, even if its trace has unknown fields', async () => {
  const { root, job, host } = await setUp();
  const other = spawn('sleep', ['600'], { stdio: 'ignore' });
  const trace = {
    format: 2,
    what: 'fetch',
    subject: 'v1',
    since: 'then',
    process: await processIdentity(other.pid ?? 0),
  };
  await mkdir(`${root}/run/slipway`, { recursive: true });
  await writeFile(job.trace, JSON.stringify({ ...trace, more: true }));
  expect(await host.job(job.trace)).toMatchObject({ what: 'fetch', since: 'then' });
  other.kill();
  await once(other, 'exit');
  expect(await host.job(job.trace)).toBeUndefined();
  await expect(host.perform(job, async () => 'anew')).rejects.toBeInstanceOf(Underway);
  await expect.poll(() => host.perform(job, async () => '')).toBe('anew');
});

test('a job trace with the id of this process is ignored unless this process runs the job', async () => {
  const { root, job, host } = await setUp();
  await mkdir(`${root}/run/slipway`, { recursive: true });
  const trace = { what: 'fetch', subject: 'v1', since: 'then', process: await processIdentity(process.pid) };
  await writeFile(job.trace, JSON.stringify(trace));
  expect(await host.job(job.trace)).toBeUndefined();
});

test('a Host without background jobs waits for the end of a job', async () => {
  const root = await temporaryFolder();
  const trace = `${root}/job.json`;
  const host = nodeHost({ root });
  const seen = async () => JSON.stringify(await host.job(trace));
  expect(await host.perform({ trace, what: 'fetch', subject: 'v1' }, seen)).toContain('"what":"fetch"');
  expect(await readdir(root)).toEqual([]);
});

test('a job does not start if its trace cannot be written, and the error names the path of the trace', async () => {
  const { root, job, host } = await setUp();
  await writeFile(`${root}/run`, 'a file');
  await expect(host.perform(job, () => expect.fail('begun'))).rejects.toMatchObject({
    reason: 'FileSystemError',
    message: expect.stringContaining(job.trace),
  });
});

test('a download stops when all jobs are stopped, and keeps its partial file', async () => {
  const { root, jobs, ends, job, host } = await setUp();
  const port = await serveHttp((request, response) => {
    if (request.url === '/sums') {
      return void response.end(`${digest}  k3s\n`);
    }
    response.writeHead(200, { etag: '"v1"', 'content-length': 1_000_000 }).write('begun');
  });
  const base = `http://127.0.0.1:${port}`;
  const wanted = {
    ...{ url: `${base}/k3s`, checksum: { url: `${base}/sums`, name: 'k3s' } },
    ...{ path: `${root}/bin/k3s`, mode: 0o755 },
  };
  const begin = host.perform(job, (signal) => host.download(wanted, signal));
  await expect(begin).rejects.toBeInstanceOf(Underway);
  await expect.poll(() => readFile(`${root}/bin/.k3s.slipway-part`, 'utf8').catch(() => '')).toBe('begun');
  await jobs.end();
  expect(ends).toEqual([1]);
  expect(await readdir(`${root}/run/slipway`)).toEqual([]);
  expect(await readFile(`${root}/bin/.k3s.slipway-part`, 'utf8')).toBe('begun');
});
