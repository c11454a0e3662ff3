import type { FileHandle } from 'node:fs/promises';
import { NodeError } from '../core/errors.ts';

/** Bytes of a text file that are read at most; what Slipway reads has some kilobytes. */
export const largestText = 4 * 1024 * 1024;

/**
 * Reads the text of an open file; `FileSystemError` if it is larger than 4 MiB, whatever size it claims: files of
 * /proc claim none, and others may grow meanwhile.
 */
export async function readText(
  file: FileHandle,
  path: string,
  encoding: BufferEncoding = 'utf8',
): Promise<string> {
  const { size } = await file.stat();
  if (size > largestText) throw tooLarge(path);
  const chunks: Buffer[] = [];
  for (let length = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.max(size + 1, chunkSize)));
    if (bytesRead === 0) return Buffer.concat(chunks).toString(encoding);
    length += bytesRead;
    if (length > largestText) throw tooLarge(path);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

/** Bytes; more than most files have. */
const chunkSize = 8 * 1024;

/** The error for a file that is not read because of its size. */
export function tooLarge(path: string): NodeError {
  return new NodeError(
    'FileSystemError',
    `Cannot read ${path}: it is larger than 4 MiB, and was not read. Put a file there that holds nothing but its text.`,
    { retry: { pace: 'slow' } },
  );
}
