import { constants, fstatSync, opendirSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { NodeError } from '../../engine/errors.ts';
import { forPerson } from '../../engine/severity.ts';
import { errnoOf } from './file-errors.ts';

/** The size limit of a text file in bytes. Slipway's own files are a few kilobytes long. */
export const largestText = 4 * 1024 * 1024;

/**
 * Reads the text of a file that is open at a descriptor. Throws `FileSystemError` for more than 4 MiB. Counts the bytes
 * that it reads, because files in /proc report no size, and other files may grow.
 */
export function readText(file: number, path: string, encoding: BufferEncoding = 'utf8'): string {
  if (fstatSync(file).size > largestText) {
    throw tooLarge(path);
  }
  const chunks: Buffer[] = [];
  for (let length = 0; ; ) {
    const bytesRead = readSync(file, chunk);
    if (bytesRead === 0) {
      return Buffer.concat(chunks).toString(encoding);
    }
    length += bytesRead;
    if (length > largestText) {
      throw tooLarge(path);
    }
    chunks.push(Buffer.from(chunk.subarray(0, bytesRead)));
  }
}

/** The buffer of every read, since a read ends before another one begins. Most files need less. */
const chunk = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * Reads a note that Slipway wrote; `undefined` if the file does not exist, is larger than 4 MiB, or is a pipe or a
 * device. Does not wait for the other end of a pipe. Throws the system's error for any other failure, and for a
 * directory.
 */
export async function readNote(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    return stats.isFile() || stats.isDirectory() ? readText(file.fd, path) : undefined;
  } catch (thrown) {
    if (thrown instanceof NodeError || errnoOf(thrown) === 'ENOENT') {
      return undefined;
    }
    throw thrown;
  }
}

/**
 * Returns the names in a directory, unsorted. Throws `FileSystemError` for more than `most` entries, and the system's
 * errors.
 */
export function readNames(folder: string, path = folder, most = 100_000): string[] {
  const found: string[] = [];
  using directory = opendirSync(folder, { bufferSize: 512 });
  for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
    found.push(entry.name);
    if (found.length > most) {
      throw tooMany(path, most);
    }
  }
  return found;
}

function tooMany(path: string, most: number): NodeError {
  return new NodeError(
    'FileSystemError',
    `Cannot list ${path}: it has more than ${most} entries, and was not read. Remove what is not needed.`,
    forPerson,
  );
}

/** Returns the error for a file that is too large to read. */
export function tooLarge(path: string): NodeError {
  return new NodeError(
    'FileSystemError',
    `Cannot read ${path}: it is larger than 4 MiB, and was not read. Put a file there that holds nothing but its text.`,
    forPerson,
  );
}

/** Returns the error for a path that is a directory, a pipe or a device instead of a file. */
export function notAFile(path: string): NodeError {
  return new NodeError(
    'FileSystemError',
    `Cannot read ${path}: it is not a regular file. Put a file with its text there.`,
  );
}
