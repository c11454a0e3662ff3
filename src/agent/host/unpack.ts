import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { errnoOf } from './file-errors.ts';
import { downloadFailed } from './transfer.ts';

/** What an archive may unpack to: bytes in all, bytes for each of its own, entries, and milliseconds. */
export interface UnpackLimits {
  readonly size: number;
  readonly ratio: number;
  readonly entries: number;
  readonly time: number;
}

/** The largest executable of a release has some 100 MB, a third of that when packed. */
const usual: UnpackLimits = { size: 512 * 1024 ** 2, ratio: 100, entries: 1_000, time: 120_000 };
/** Bytes to which the ratio does not apply: little archives pack well. */
const always = 16 * 1024 ** 2;

/** The size of a header, and what contents are filled up to a multiple of (POSIX.1-2017 pax, ustar). */
const block = 512;

/**
 * Hands the content of the regular file `member` of a .tar.gz to `write`, and reads no further than its end.
 * `DownloadFailed` for what is no such archive, has no such member, or exceeds a limit; `address` is where it is from.
 */
export async function unpackMember(
  archive: string,
  member: string,
  write: (bytes: Buffer) => Promise<void>,
  address: string,
  limits = usual,
): Promise<void> {
  const refused = (why: string) => downloadFailed(address, `its archive ${why}`, 'slow');
  const most = Math.min(limits.size, Math.max(always, (await stat(archive)).size * limits.ratio));
  const end = AbortSignal.timeout(limits.time);
  let [unpacked, entries] = [0, 0];
  let held = Buffer.alloc(0);
  let entry = { left: 0, padding: 0, isWanted: false };
  for await (const chunk of unzipped(archive, refused)) {
    unpacked += chunk.length;
    if (unpacked > most) throw refused(`unpacks to more than ${most} bytes`);
    if (end.aborted) throw tooSlow(address, limits.time);
    held = Buffer.concat([held, chunk]);
    while (held.length > 0) {
      if (entry.left + entry.padding === 0) {
        if (held.length < block) break;
        entries += 1;
        if (entries > limits.entries) throw refused(`has more than ${limits.entries} entries`);
        const header = headerOf(held.subarray(0, block));
        if (header === undefined) throw refused('is damaged');
        held = held.subarray(block);
        entry = { ...header, isWanted: header.isFile && header.name === member };
        if (entry.isWanted && entry.left === 0) return;
        continue;
      }
      const content = held.subarray(0, entry.left);
      if (entry.isWanted) await write(content);
      const fill = Math.min(held.length - content.length, entry.padding);
      held = held.subarray(content.length + fill);
      entry = { ...entry, left: entry.left - content.length, padding: entry.padding - fill };
      if (entry.isWanted && entry.left === 0) return;
    }
  }
  throw refused(`has no file ${member}`);
}

/** Not the archive's fault on a busy machine, so it is tried again. */
function tooSlow(address: string, time: number) {
  return downloadFailed(address, `its archive takes longer than ${time / 1_000} s to unpack`);
}

async function* unzipped(archive: string, refused: (why: string) => Error): AsyncIterable<Buffer> {
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

/** A header of ustar. The blocks of zeros at the end are entries without a name; `undefined` for what is no header. */
function headerOf(bytes: Buffer) {
  const text = (from: number, to: number) => bytes.subarray(from, to).toString('latin1').split('\0')[0] ?? '';
  const left = Number.parseInt(text(124, 136).trim() || '0', 8);
  if (!Number.isSafeInteger(left) || left < 0) return undefined;
  const isFile = ['', '0'].includes(text(156, 157));
  return { name: text(0, 100).replace(/^\.\//, ''), isFile, left, padding: (block - (left % block)) % block };
}
