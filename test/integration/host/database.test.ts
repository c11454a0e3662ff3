import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { kineSql } from '../../lab/memory-databases.ts';
import { temporaryFolder } from './folder.ts';

const queries = {
  rows: 'SELECT count(*) FROM kine',
  newest: 'SELECT max(id) FROM kine',
};

/**
 * The program of a writer such as K3s: it commits a transaction again and again, and prints a line after its first
 * commit. A transaction inserts two rows, so that a copy with an odd number of rows would show half a transaction.
 */
const writer = `
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(process.argv[1], { timeout: 30000 });
  const insert = database.prepare('INSERT INTO kine (name, created, deleted, value) VALUES (?, 1, 0, ?)');
  const value = Buffer.alloc(2000, 1);
  const write = (at) => {
    database.exec('BEGIN IMMEDIATE');
    insert.run('/registry/x/' + process.pid + '-' + at + '-a', value);
    insert.run('/registry/x/' + process.pid + '-' + at + '-b', value);
    database.exec('COMMIT');
    if (at === 0) console.log('writes');
    setTimeout(() => write(at + 1), 2);
  };
  write(0);
`;

async function withDatabase(place: string, rows: number): Promise<string> {
  const path = join(place, 'state.db');
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(kineSql([]));
  const insert = database.prepare('INSERT INTO kine (name, created, deleted, value) VALUES (?, 1, 0, ?)');
  database.exec('BEGIN');
  for (let at = 0; at < rows; at += 1) {
    insert.run(`/registry/pods/default/pod-${at}`, Buffer.alloc(1_000, at % 256));
  }
  database.exec('COMMIT');
  database.close();
  return path;
}

test('copies a database while two processes write to it, and copies no incomplete transaction', async () => {
  const place = await temporaryFolder();
  const path = await withDatabase(place, 4_000);
  const writers = [1, 2].map(() =>
    spawn(process.execPath, ['-e', writer, path], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  try {
    await Promise.all(writers.map(({ stdout }) => once(stdout, 'data')));
    const host = nodeHost();
    const to = join(place, 'backup/copy.db');
    const facts = await host.copyDatabase({ from: path, to, queries, room: 1 });
    const rows = Number(facts.answers.rows?.[0]);
    expect(rows).toBeGreaterThanOrEqual(4_004);
    expect(rows % 2).toBe(0);
    expect(facts.bytes).toBe((await stat(to)).size);
    expect(await host.readDatabase(to, queries)).toEqual(facts);
    expect(await readdir(join(place, 'backup'))).toEqual(['copy.db']);
    expect(((await stat(join(place, 'backup'))).mode & 0o777).toString(8)).toBe('700');
    expect(writers.map(({ exitCode }) => exitCode)).toEqual([null, null]);
  } finally {
    await Promise.all(
      writers.map(async (child) => {
        child.kill();
        await once(child, 'close');
      }),
    );
  }
});

test('reads the commits in the write-ahead log, which a plain copy of the file lacks', async () => {
  const place = await temporaryFolder();
  const path = await withDatabase(place, 10);
  const open = new DatabaseSync(path);
  open.exec("INSERT INTO kine (name, created, deleted) VALUES ('/registry/late', 1, 0)");
  const to = join(place, 'copy.db');
  const facts = await nodeHost().copyDatabase({ from: path, to, queries, room: 1 });
  open.close();
  expect(facts.answers.rows).toEqual(['11']);
});

test('a stopped copy leaves at most a draft beside its path, and the next copy removes the draft', async () => {
  const place = await temporaryFolder();
  const path = await withDatabase(place, 40_000);
  const to = join(place, 'backup/copy.db');
  const stop = new AbortController();
  const copy = nodeHost().copyDatabase({ from: path, to, queries, room: 1 }, stop.signal);
  const names = () => readdir(join(place, 'backup')).catch(() => []);
  await expect.poll(names, { interval: 5 }).not.toEqual([]);
  stop.abort();
  await expect(copy).rejects.toMatchObject({ name: 'AbortError' });
  expect(await names()).not.toContain('copy.db');
  await nodeHost().copyDatabase({ from: path, to, queries, room: 1 });
  expect(await names()).toEqual(['copy.db']);
});

test('finds a fault in the middle of a database', async () => {
  const place = await temporaryFolder();
  const path = await withDatabase(place, 2_000);
  const bytes = await readFile(path);
  await writeFile(path, bytes.fill(0xff, 200 * 4096, 260 * 4096));
  await expect(nodeHost().readDatabase(path, queries)).rejects.toMatchObject({
    reason: 'DatabaseDamaged',
    endedBy: 'person',
  });
});

test('keeps a copy below the root, even if its path contains a link to /', async () => {
  const root = await temporaryFolder();
  await mkdir(join(root, 'var/lib'), { recursive: true });
  await withDatabase(join(root, 'var/lib'), 2);
  await symlink('/', join(root, 'var/backup'));
  const host = nodeHost({ root });
  const to = join(root, 'var/backup/slipway-test/copy.db');
  await host.copyDatabase({ from: join(root, 'var/lib/state.db'), to, queries, room: 1 });
  expect(await readdir(join(root, 'slipway-test'))).toEqual(['copy.db']);
});

test('refuses to copy to a path below a file', async () => {
  const place = await temporaryFolder();
  const path = await withDatabase(place, 2);
  await writeFile(join(place, 'a-file'), '');
  const to = join(place, 'a-file/backup/copy.db');
  await expect(nodeHost().copyDatabase({ from: path, to, queries, room: 1 })).rejects.toMatchObject({
    reason: 'FileSystemError',
    message: expect.stringContaining('a file is in the place of a directory'),
  });
});
