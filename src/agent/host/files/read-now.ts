/**
 * The reads of the Host. They do not return to the event loop before they end: a pass reads some hundred small local
 * files, and a trip through Node's thread pool takes ten times the CPU of the read itself.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  type Stats,
  statSync,
} from 'node:fs';
import type { FileStat, FoundFile } from '../../engine/host.ts';
import { notAFile, readNames, readText } from './bounded-read.ts';
import { ownership } from './ownership.ts';

const { O_RDONLY, O_NONBLOCK } = constants;

/**
 * Reads the regular file at `at`; returns `undefined` if it does not exist. Throws `FileSystemError`, which shows
 * `path`, for anything else, and the system's errors. Does not wait for the other end of a pipe, which may never open.
 */
export function readAt(at: string, path: string): FoundFile | undefined {
  // An error of open(2) would cost more than this question.
  if (statSync(at, { throwIfNoEntry: false }) === undefined) {
    return undefined;
  }
  const file = openSync(at, O_RDONLY | O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) {
      throw notAFile(path);
    }
    return {
      content: readText(file, path),
      mode: permissionBits(stats),
      modifiedAt: stats.mtimeMs,
      ...ownership(stats),
    };
  } finally {
    closeSync(file);
  }
}

/** Returns the attributes of a path without following a link; `undefined` if nothing exists there. */
export function statAt(path: string): FileStat | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    return undefined;
  }
  const found = {
    kind: kindOf(stats),
    mode: permissionBits(stats),
    size: stats.size,
    modifiedAt: stats.mtimeMs,
    inode: stats.ino,
    ...ownership(stats),
  };
  return stats.isSymbolicLink() ? { ...found, target: readlinkSync(path) } : found;
}

/** Returns the sorted names in the directory at `at`. Throws the errors of `readNames`, which show `path`. */
export function namesAt(at: string, path: string): readonly string[] {
  return readNames(at, path).sort();
}

function kindOf(stats: Stats): FileStat['kind'] {
  if (stats.isFile()) {
    return 'file';
  }
  if (stats.isDirectory()) {
    return 'directory';
  }
  return stats.isSymbolicLink() ? 'link' : 'other';
}

function permissionBits(stats: Stats): number {
  return stats.mode & 0o7777;
}
