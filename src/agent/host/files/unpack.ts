import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { forPerson } from '../../engine/severity.ts';
import { downloadFailed } from '../http/transfer.ts';
import { errnoOf } from './file-errors.ts';

/** The limits of an archive: unpacked bytes, unpacked bytes per byte of the archive, entries, and milliseconds. */
export interface UnpackLimits {
  readonly size: number;
  readonly ratio: number;
  readonly entries: number;
  readonly time: number;
}

/** The default limits. The largest executable in a release is about 100 MB, and a third of that when packed. */
const usual: UnpackLimits = { size: 512 * 1024 ** 2, ratio: 100, entries: 1_000, time: 120_000 };
/** The number of unpacked bytes that is allowed at any ratio, because a small archive can pack well. */
const always = 16 * 1024 ** 2;

/** The size of a header in bytes; contents are padded to a multiple of this size (POSIX.1-2017 pax, ustar). */
const block = 512;

/**
 * Passes the content of the regular file `member` of a .tar.gz to `write`, and reads no further than the end of that
 * file. Throws `DownloadFailed`, with `address` as the origin, if the archive is damaged, lacks the member or exceeds a
 * limit.
 */
export async function unpackMember(
  archive: string,
  member: string,
  write: (bytes: Buffer) => Promise<void>,
  address: string,
  limits = usual,
): Promise<void> {
  const refused = (why: string) => downloadFailed(address, `its archive ${why}`, forPerson);
  let entries = 0;
  for await (const { header, content, left } of partsOf(boundedArchive(archive, address, limits, refused))) {
    if (header === undefined) {
      throw refused('is damaged');
    }
    if (content === undefined) {
      entries += 1;
    }
    if (entries > limits.entries) {
      throw refused(`has more than ${limits.entries} entries`);
    }
    if (!header.isFile || header.name !== member) {
      continue;
    }
    if (content) {
      await write(content);
    }
    if (left === 0) {
      return;
    }
  }
  throw refused(`has no file ${member}`);
}

type Refused = (why: string) => Error;

/**
 * Yields the unpacked bytes of an archive. Throws `DownloadFailed` if the archive exceeds a limit on size, ratio or
 * time.
 */
async function* boundedArchive(
  archive: string,
  address: string,
  { size, ratio, time }: UnpackLimits,
  refused: Refused,
): AsyncIterable<Buffer> {
  const most = Math.min(size, Math.max(always, (await stat(archive)).size * ratio));
  const end = AbortSignal.timeout(time);
  let unpacked = 0;
  for await (const chunk of unzipped(archive, refused)) {
    unpacked += chunk.length;
    if (unpacked > most) {
      throw refused(`unpacks to more than ${most} bytes`);
    }
    if (end.aborted) {
      throw tooSlow(address, time);
    }
    yield chunk;
  }
}

/** A part of an entry: the header alone (`undefined` if damaged), or a piece of the content that follows the header. */
interface Part {
  readonly header: ReturnType<typeof headerOf>;
  readonly content?: Buffer;
  /** Bytes of the entry's content after this part. */
  readonly left: number;
}

/** Yields the entries of a tar archive, part by part. */
async function* partsOf(chunks: AsyncIterable<Buffer>): AsyncIterable<Part> {
  let header: Part['header'];
  // The remaining bytes of the content, without and with the padding to whole blocks.
  let [left, filled] = [0, 0];
  let held = Buffer.alloc(0);
  for await (const chunk of chunks) {
    held = Buffer.concat([held, chunk]);
    while (held.length >= (filled === 0 ? block : 1)) {
      const piece = held.subarray(0, filled || block);
      held = held.subarray(piece.length);
      if (filled === 0) {
        header = headerOf(piece);
        left = header?.size ?? 0;
        filled = Math.ceil(left / block) * block;
        yield { header, left };
      } else {
        const content = piece.subarray(0, left);
        left -= content.length;
        filled -= piece.length;
        yield { header, content, left };
      }
    }
  }
}

/**
 * Returns the error of an archive that takes too long to unpack. The error is retryable, since a busy machine may be
 * the cause.
 */
function tooSlow(address: string, time: number) {
  return downloadFailed(address, `its archive takes longer than ${time / 1_000} s to unpack`);
}

async function* unzipped(archive: string, refused: Refused): AsyncIterable<Buffer> {
  const source = createReadStream(archive);
  const bytes = source.pipe(createGunzip());
  source.on('error', (thrown) => bytes.destroy(thrown));
  try {
    yield* bytes;
  } catch (thrown) {
    throw errnoOf(thrown)?.startsWith('Z_') ? refused('is damaged') : thrown;
  } finally {
    source.destroy();
    bytes.destroy();
  }
}

/**
 * Parses a ustar header; `undefined` if the size in the header is invalid. The zero blocks at the end of an archive
 * parse as entries without a name.
 */
function headerOf(bytes: Buffer) {
  const text = (from: number, to: number) => bytes.subarray(from, to).toString('latin1').split('\0')[0] ?? '';
  const size = Number.parseInt(text(124, 136).trim() || '0', 8);
  if (!Number.isSafeInteger(size) || size < 0) {
    return undefined;
  }
  return { name: text(0, 100).replace(/^\.\//, ''), isFile: ['', '0'].includes(text(156, 157)), size };
}
