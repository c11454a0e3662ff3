import { lstat, rename, symlink } from 'node:fs/promises';
import type { Host } from '../engine/host.ts';
import { reveal } from '../engine/secret.ts';
import { sleep } from './clock/clock.ts';
import { compressedByChild, databaseChild, databaseCopied } from './database/database-child.ts';
import { atomicWrite, replaceWith, syncDirectory } from './files/atomic-write.ts';
import { errnoOf, fileError } from './files/file-errors.ts';
import { copyFile, digestAt } from './files/large-files.ts';
import { inPlace, openPlace } from './files/openat.ts';
import { namesAt, readAt, statAt } from './files/read-now.ts';
import { removeTree } from './files/remove-tree.ts';
import { download, install } from './http/download.ts';
import { fetchFile } from './http/fetch-file.ts';
import { exchange } from './http/http.ts';
import { Routes } from './http/http-agents.ts';
import { peerCertificate } from './http/peer-certificate.ts';
import { withProxyLogin } from './http/proxy-login.ts';
import { upload } from './http/upload.ts';
import { commandFailed } from './process/command-failed.ts';
import { childEnvironment, type Network } from './process/environment.ts';
import { execute } from './process/exec.ts';
import { createJobs, type Jobs } from './process/jobs.ts';

export interface NodeHostOptions extends Network {
  /** The environment from which commands get PATH and HOME; by default that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** The directory that no path leaves, even through a link; `/` by default. */
  readonly root?: string;
  /** The jobs of this process, which run in parallel with its passes. If absent, `perform` waits for its job to end. */
  readonly jobs?: Jobs | undefined;
}

/** Makes the Host of the real machine. */
export function nodeHost(options: NodeHostOptions = {}): Host {
  const { env = process.env, root = '/', jobs = createJobs({ root }), ...network } = options;
  const routes = new Routes(network);
  const environment = async () => childEnvironment(env, await withProxyLogin(network));
  const readFile = (path: string) =>
    missingIsUndefined('read', path, () => below(path, true, (at) => readAt(at, path)));
  return {
    readFile,
    stat: (path) => missingIsUndefined('look at', path, () => below(path, false, statAt)),
    list: async (path) =>
      (await missingIsUndefined('list', path, () => below(path, true, (at) => namesAt(at, path)))) ?? [],
    digestFile: (path) =>
      missingIsUndefined('read', path, () => below(path, true, (at) => digestAt(at, path))),
    query: async (command) => execute(command, await environment()),
    get: (request) => exchange({ ...request, method: 'GET' }, routes),
    peerCertificate: (url, patience) => peerCertificate(url, patience),

    readDatabase: (path, queries) =>
      databaseChild({ do: 'read', root, path, queries }, childEnvironment(env, {})),
    readSnapshot: (path, queries) =>
      databaseChild({ do: 'readSnapshot', root, path, queries }, childEnvironment(env, {})),
    job: async (trace) => jobs.running(trace, (await readFile(trace))?.content ?? ''),
    now: () => Date.now(),
    monotonic: () => performance.now(),

    writeFile: (path, content, { mode }) =>
      withSystemErrors('write', path, () => atomicWrite(path, reveal(content), mode, root)),
    link: (path, target) =>
      withSystemErrors('link', path, () =>
        replaceWith(path, (temporary) => symlink(target, temporary), root),
      ),
    rename: (from, to) => withSystemErrors('rename', from, () => renameAt(from, to, root)),
    remove: async (path) => void (await missingIsUndefined('remove', path, () => removeAt(path, root))),
    async run(command, signal) {
      const result = await execute(command, await environment(), signal);
      if (result.exitCode !== 0) {
        throw commandFailed(command, result);
      }
      return result;
    },
    send: (request) => exchange(request, routes),
    copyFile: (from, to, signal) => copyFile(from, to, root, signal),
    upload: (request, signal) => upload(request, { routes, root, signal }),
    fetchFile: (request, signal) => fetchFile(request, { routes, root, signal }),
    copyDatabase: (copy, signal) =>
      databaseCopied({ do: 'copy', root, ...copy }, childEnvironment(env, {}), signal),
    compress: (work, signal) =>
      compressedByChild({ do: 'compress', root, ...work }, childEnvironment(env, {}), signal),
    decompress: (work, signal) =>
      compressedByChild({ do: 'decompress', root, ...work }, childEnvironment(env, {}), signal),
    download: (wanted, signal) => download(wanted, { routes, root, signal }),
    install: (wanted, digest) =>
      withSystemErrors('download to', wanted.path, () => install(wanted, digest, root)),
    perform: jobs.perform,
    obtain: (_what, fetch) => fetch(),
    sleep,
  };

  /**
   * Runs `work` on a path below the root. If the root is `/`, the kernel resolves the path, because reads are frequent
   * and may follow links anywhere.
   */
  async function below<Found>(
    path: string,
    follow: boolean,
    work: (at: string) => Found | Promise<Found>,
  ): Promise<Found> {
    return root === '/' ? work(path) : inPlace(path, { root, follow }, async (place) => work(place.path));
  }
}

async function withSystemErrors<Result>(
  action: string,
  path: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    throw fileError(thrown, action, path);
  }
}

/**
 * Resolves to the result of `look`, or to `undefined` if nothing exists at the path, or if a parent of the path is a
 * file and `action` is not `list`.
 */
function missingIsUndefined<Found>(
  action: string,
  path: string,
  look: () => Promise<Found>,
): Promise<Found | undefined> {
  return withSystemErrors(action, path, async () => {
    try {
      return await look();
    } catch (thrown) {
      const errno = errnoOf(thrown);
      if (errno === 'ENOENT' || (errno === 'ENOTDIR' && action !== 'list')) {
        return undefined;
      }
      throw thrown;
    }
  });
}

async function renameAt(from: string, to: string, root: string): Promise<void> {
  await using source = await openPlace(from, { root });
  await lstat(source.path);
  await using goal = await openPlace(to, { root, make: true });
  await rename(source.path, goal.path);
  await syncDirectory(goal.folder);
  await syncDirectory(source.folder);
}

async function removeAt(path: string, root: string): Promise<void> {
  await using place = await openPlace(path, { root });
  if ((await missingIsUndefined('remove', path, () => lstat(place.path))) === undefined) {
    return;
  }
  await removeTree(place.path);
  await syncDirectory(place.folder);
}
