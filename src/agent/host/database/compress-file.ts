import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { Compressed, Compression, FileDigest } from '../../engine/compression.ts';
import { NodeError } from '../../engine/errors.ts';
import { forPerson } from '../../engine/severity.ts';
import { replaceWith } from '../files/atomic-write.ts';
import { makePrivate } from './copy-database.ts';
import { damaged } from './database-errors.ts';

const chunk = 256 * 1024;

/** Compresses a file as `Compression` describes, with a checksum of the content. */
export async function compressFile(work: Compression, root: string): Promise<Compressed> {
  const stream = createZstdCompress({ chunkSize: chunk, params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  const [plain, packed] = await converted(work, root, stream);
  return { plain, packed };
}

/** Decompresses a file as `Compression` describes. */
export async function decompressFile(work: Compression, root: string): Promise<Compressed> {
  const [packed, plain] = await converted(work, root, createZstdDecompress({ chunkSize: chunk }), work.limit);
  return { plain, packed };
}

/** Writes the file that the stream makes of `from`, and returns the digests of both. */
async function converted(
  { from, to }: Compression,
  root: string,
  stream: ReturnType<typeof createZstdCompress> | ReturnType<typeof createZstdDecompress>,
  limit = Number.POSITIVE_INFINITY,
): Promise<readonly [FileDigest, FileDigest]> {
  await using source = await open(from, 'r');
  await makePrivate(dirname(to), root);
  const [read, written] = [measure(from), measure(to, limit)];
  await replaceWith(
    to,
    async (draft) => {
      await using file = await open(draft, 'wx', 0o600);
      await file.chmod(0o600);
      const fill = async (parts: AsyncIterable<Buffer>) => {
        for await (const part of parts) {
          await file.writeFile(part);
        }
      };
      await pipeline(partsOf(source), read.through, stream, written.through, fill).catch(
        (thrown: unknown) => {
          throw isOfZlib(thrown) ? damaged(from, thrown) : thrown;
        },
      );
      await file.sync();
    },
    root,
  );
  return [read.digest(), written.digest()];
}

/** Returns the content of a file in parts, each in its own memory, since the next step may keep it. */
async function* partsOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(chunk), 0, chunk);
    if (bytesRead === 0) {
      return;
    }
    yield buffer.subarray(0, bytesRead);
  }
}

/** Returns a step of a pipeline that measures what passes through. Throws `DatabaseDamaged` beyond the limit. */
function measure(path: string, limit = Number.POSITIVE_INFINITY) {
  const hash = createHash('sha256');
  let bytes = 0;
  return {
    async *through(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const part of source) {
        bytes += part.length;
        if (bytes > limit) {
          throw new NodeError(
            'DatabaseDamaged',
            `${path} was not written: its content has more than ${limit} bytes.`,
            forPerson,
          );
        }
        hash.update(part);
        yield part;
      }
    },
    digest: (): FileDigest => ({ bytes, sha256: hash.digest('hex') }),
  };
}

/** True for an error about compressed data, such as ZSTD_error_checksum_wrong; Z_BUF_ERROR is an incomplete file. */
function isOfZlib(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('Z');
}
