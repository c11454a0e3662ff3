import { dirname, join } from 'node:path';
import { shortDigest } from '../../engine/digest.ts';
import { NodeError } from '../../engine/errors.ts';
import type { Host } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';
import { claimed } from '../claims.ts';
import type { StoreDriver } from '../driver.ts';
import { checkedName, checkedPrefix, objectName } from '../object-name.ts';
import type { ObjectStore, StoredContent } from '../store.ts';
import { conflict, missing, tooLarge } from '../store-errors.ts';
import { objectsBelow } from './objects-below.ts';

/** A folder of this machine, usually one on another disk or a file server. */
export const folder: StoreDriver = {
  summary: 'a folder',
  form: `/${objectName}`,
  example: '/mnt/backup/slipway',
  create: ({ host, to }) => folderStore(host, to),
};

/**
 * Makes a store in a folder. Files have mode 0600, and folders below the folder 0700. The folder itself must exist,
 * because a file system that is not mounted would look like an empty folder.
 */
function folderStore(host: Host, to: string): ObjectStore {
  const store = `the folder ${to}`;
  const pathOf = (name: string) => join(to, checkedName(name));

  async function requireFolder(): Promise<void> {
    await requireAnswer(host, to);
    if ((await host.stat(to))?.kind !== 'directory') {
      throw new NodeError(
        'StoreNotFound',
        `backup.to names ${to}, which is not a folder. Mount the file system for the backups, and create the folder there: mkdir -m 700 ${to}`,
        { ...forPerson, retry: { longest: 60_000 } },
      );
    }
  }

  async function sizeOf(name: string): Promise<number | undefined> {
    await requireFolder();
    const found = await host.stat(pathOf(name));
    return found?.kind === 'file' ? found.size : undefined;
  }

  async function put(
    name: string,
    from: string,
    content: StoredContent,
    signal?: AbortSignal,
  ): Promise<void> {
    await requireFolder();
    if ((await host.copyFile(from, pathOf(name), signal)) === 'copied') {
      return;
    }
    const found = await host.digestFile(pathOf(name));
    if (found?.sha256 !== content.sha256 || found.bytes !== content.bytes) {
      throw conflict(store, name);
    }
  }

  async function create(name: string, text: string): Promise<'created' | 'exists'> {
    await requireFolder();
    const draft = join(to, `.claim-${shortDigest(`${name} ${text}`)}`);
    await host.writeFile(draft, text, { mode: 0o600 });
    const outcome = await host.copyFile(draft, pathOf(name));
    await host.remove(draft);
    return outcome === 'copied' ? 'created' : 'exists';
  }

  async function read(name: string, limit: number): Promise<string | undefined> {
    const size = await sizeOf(name);
    if (size !== undefined && size > limit) {
      throw tooLarge(store, name, limit);
    }
    return size === undefined ? undefined : (await host.readFile(pathOf(name)))?.content;
  }

  async function fetchObject(name: string, goal: string, limit: number, signal?: AbortSignal): Promise<void> {
    const size = await sizeOf(name);
    if (size === undefined) {
      throw missing(store, name);
    }
    if (size > limit) {
      throw tooLarge(store, name, limit);
    }
    await host.remove(goal);
    await host.copyFile(pathOf(name), goal, signal);
  }

  return {
    name: store,
    put,
    claim: (name, text) => claimed({ name: store, create, read }, name, text),
    fetch: fetchObject,
    read,
    async list(prefix) {
      await requireFolder();
      return objectsBelow(host, to, checkedPrefix(prefix));
    },
    async remove(name) {
      await requireFolder();
      const path = pathOf(name);
      return (await host.stat(path))?.kind === 'directory' ? 'removed' : removed(host, path, to);
    },
  };
}

/** The time limit for a sign of life of the file system, in milliseconds. */
const longestAnswer = 20_000;

/**
 * Asks a child process for the state of the file system, which it gets from the file server. Throws `StoreUnavailable`
 * without an answer in time: the reads of the Host would stop the whole process until the file server answers.
 */
async function requireAnswer(host: Host, to: string): Promise<void> {
  const look = { file: 'stat', args: ['--file-system', '--format=%T', '--', to], timeout: longestAnswer };
  try {
    await host.query(look);
  } catch (thrown) {
    if (!(thrown instanceof NodeError && thrown.reason === 'CommandTimedOut')) {
      throw thrown;
    }
    throw new NodeError(
      'StoreUnavailable',
      `The file system of ${to} does not answer: stat took more than ${longestAnswer / 1_000} s. Check the file server and the network; if it is gone for good, run umount -l ${to}.`,
      { cause: thrown },
    );
  }
}

/** Removes a file, and its folders below `top` that are then empty. Returns `refused` if the system refuses. */
async function removed(host: Host, path: string, top: string): Promise<'removed' | 'refused'> {
  try {
    await host.remove(path);
    for (let each = dirname(path); each !== top && (await isEmpty(host, each)); each = dirname(each)) {
      await host.remove(each);
    }
    return 'removed';
  } catch (thrown) {
    if (thrown instanceof NodeError && ['PermissionDenied', 'ReadOnly'].includes(thrown.reason)) {
      return 'refused';
    }
    throw thrown;
  }
}

async function isEmpty(host: Host, path: string): Promise<boolean> {
  return (await host.stat(path))?.kind === 'directory' && (await host.list(path)).length === 0;
}
