import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { FileDigest } from '../../engine/compression.ts';
import { NodeError } from '../../engine/errors.ts';
import { unlessAborted } from '../clock/deadline.ts';
import { createPrivate } from './atomic-write.ts';
import { notAFile } from './bounded-read.ts';
import { fileError } from './file-errors.ts';
import { inPlace } from './openat.ts';
import { takeOver } from './ownership.ts';

/** The bytes of a file that are in memory at a time. */
const chunkSize = 1024 * 1024;

/** The longest time without progress of a copy, in milliseconds. At its end, the system may have gigabytes to write. */
const longestStall = 900_000;
/** The longest time without progress while a file is read, in milliseconds. */
const longestRead = 60_000;

/**
 * Returns the size and the digest of a regular file. Throws `FileSystemError` for anything else, and `TimedOut` after
 * `stallAfter` milliseconds without progress, since a call to a file server that hangs never returns.
 */
export async function digestAt(at: string, path: string, stallAfter = longestRead): Promise<FileDigest> {
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(unread(path, stallAfter)), stallAfter);
  try {
    return await unlessAborted(
      stall.signal,
      digested(at, path, { signal: stall.signal, moved: () => void timer.refresh() }),
    );
  } finally {
    clearTimeout(timer);
  }
}

async function digested(at: string, path: string, { signal, moved }: Moving): Promise<FileDigest> {
  await using file = await openLarge(at, path);
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunksOf(file)) {
    signal.throwIfAborted();
    hash.update(chunk);
    bytes += chunk.length;
    moved();
  }
  return { bytes, sha256: hash.digest('hex') };
}

function unread(path: string, stallAfter: number): NodeError {
  return new NodeError(
    'TimedOut',
    `Reading ${path} made no progress for ${stallAfter / 1_000} s. Check the disk, and the file server if the file is on one.`,
  );
}

/**
 * Copies a file as `LargeFiles.copyFile` describes, below `root`. Throws the errors of files, and `TimedOut` after
 * `stallAfter` milliseconds without progress, since a call to a file server that hangs never returns.
 */
export async function copyFile(
  from: string,
  to: string,
  root: string,
  signal?: AbortSignal,
  stallAfter = longestStall,
): Promise<'copied' | 'exists'> {
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(stalled(from, to, stallAfter)), stallAfter);
  const either = signal ? AbortSignal.any([stall.signal, signal]) : stall.signal;
  const moved = () => void timer.refresh();
  try {
    either.throwIfAborted();
    const isNew = await unlessAborted(
      stall.signal,
      createPrivate(to, (draft) => fillFrom(from, draft, root, { signal: either, moved }), root),
    );
    return isNew ? 'copied' : 'exists';
  } catch (thrown) {
    throw either.aborted ? either.reason : fileError(thrown, 'copy to', to);
  } finally {
    clearTimeout(timer);
  }
}

function stalled(from: string, to: string, stallAfter: number): NodeError {
  return new NodeError(
    'TimedOut',
    `The copy of ${from} to ${to} made no progress for ${stallAfter / 1_000} s. Check the disks, and the file server if one of them is on it.`,
  );
}

/** What stops a read or a copy, and what hears of its progress. */
interface Moving {
  readonly signal: AbortSignal;
  readonly moved: () => void;
}

async function fillFrom(from: string, draft: string, root: string, { signal, moved }: Moving): Promise<void> {
  await using source = await openSource(from, root);
  await using file = await open(draft, 'wx', 0o600);
  await takeOver(file);
  await file.chmod(0o600);
  for await (const chunk of chunksOf(source)) {
    signal.throwIfAborted();
    await file.appendFile(chunk);
    moved();
  }
  await file.sync();
}

/** Opens a regular file below `root` for reading. Throws the errors of files. */
export async function openSource(path: string, root: string): Promise<FileHandle> {
  try {
    return await inPlace(path, { root, follow: true }, (place) => openLarge(place.path, path));
  } catch (thrown) {
    throw fileError(thrown, 'read', path);
  }
}

/**
 * Opens a regular file for reading. Throws `FileSystemError` for anything else. Does not wait for the other end of a
 * pipe.
 */
async function openLarge(at: string, path: string): Promise<FileHandle> {
  const file = await open(at, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) {
    return file;
  }
  await file.close();
  throw notAFile(path);
}

/** Yields the content of an open file, and leaves the file open. */
export function chunksOf(file: FileHandle): AsyncIterable<Buffer> {
  return file.createReadStream({ autoClose: false, highWaterMark: chunkSize });
}
