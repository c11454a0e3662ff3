import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NodeError } from '../core/errors.ts';
import type { FileStat, FoundFile, Host } from '../core/host.ts';
import { reveal } from '../core/secret.ts';
import { atomicWrite, makeDirectory, replaceWith, syncDirectory } from './atomic-write.ts';
import { sleep } from './clock.ts';
import { commandFailed } from './command-failed.ts';
import { download } from './download.ts';
import { childEnvironment, type Network } from './environment.ts';
import { execute } from './exec.ts';
import { errnoOf, fileError } from './file-errors.ts';
import { exchange } from './http.ts';
import { Routes } from './http-agents.ts';

export interface NodeHostOptions extends Network {
  /** Where PATH and HOME of the commands come from; this process's environment unless said. */
  readonly env?: NodeJS.ProcessEnv;
}

/** The real machine. */
export function nodeHost({ env = process.env, ...network }: NodeHostOptions = {}): Host {
  const routes = new Routes(network);
  const environment = childEnvironment(env, network);
  return {
    readFile: (path) => missingIsUndefined('read', path, () => read(path)),
    stat: (path) => missingIsUndefined('look at', path, () => look(path)),
    list: async (path) => (await missingIsUndefined('list', path, () => names(path))) ?? [],
    query: (command) => execute(command, environment),
    get: (request) => exchange({ ...request, method: 'GET' }, routes),
    now: () => Date.now(),
    monotonic: () => performance.now(),

    writeFile: (path, content, { mode }) =>
      refusable('write', path, () => atomicWrite(path, reveal(content), mode)),
    link: (path, target) =>
      refusable('link', path, () => replaceWith(path, (temporary) => symlink(target, temporary))),
    rename: (from, to) => refusable('rename', from, () => move(from, to)),
    remove: (path) => refusable('remove', path, () => remove(path)),
    async run(command) {
      const result = await execute(command, environment);
      if (result.exitCode !== 0) throw commandFailed(command, result);
      return result;
    },
    send: (request) => exchange(request, routes),
    download: (wanted) => download(wanted, { routes, environment }),
    obtain: (_what, fetch) => fetch(),
    sleep,
  };
}

async function refusable<Result>(action: string, path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    throw fileError(thrown, action, path);
  }
}

/** Missing is what is not there, and what cannot be there because a file stands where its directory would be. */
function missingIsUndefined<Found>(
  action: string,
  path: string,
  look: () => Promise<Found>,
): Promise<Found | undefined> {
  return refusable(action, path, async () => {
    try {
      return await look();
    } catch (thrown) {
      const errno = errnoOf(thrown);
      if (errno === 'ENOENT' || (errno === 'ENOTDIR' && action !== 'list')) return undefined;
      throw thrown;
    }
  });
}

/** Does not wait for the other end of a pipe, which may never come. */
async function read(path: string): Promise<FoundFile> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = await file.stat();
  if (!stats.isFile()) throw notAFile(path);
  return { content: await file.readFile('utf8'), mode: permissions(stats), modifiedAt: stats.mtimeMs };
}

function notAFile(path: string): NodeError {
  return new NodeError(
    'FileSystemError',
    `Cannot read ${path}: it is not a regular file. Put a file with its text there.`,
  );
}

async function look(path: string): Promise<FileStat> {
  const stats = await lstat(path);
  const found = {
    kind: kindOf(stats),
    mode: permissions(stats),
    size: stats.size,
    modifiedAt: stats.mtimeMs,
  };
  return stats.isSymbolicLink() ? { ...found, target: await readlink(path) } : found;
}

function kindOf(stats: Stats): FileStat['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

function permissions(stats: Stats): number {
  return stats.mode & 0o7777;
}

async function names(path: string): Promise<readonly string[]> {
  return (await readdir(path)).sort();
}

async function move(from: string, to: string): Promise<void> {
  await lstat(from);
  await makeDirectory(dirname(to));
  await rename(from, to);
  for (const directory of new Set([dirname(to), dirname(from)])) await syncDirectory(directory);
}

async function remove(path: string): Promise<void> {
  if ((await missingIsUndefined('remove', path, () => lstat(path))) === undefined) return;
  await rm(path, { force: true, recursive: true });
  await syncDirectory(dirname(path));
}
