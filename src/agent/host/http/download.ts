import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { NodeError } from '../../engine/errors.ts';
import type { Download } from '../../engine/host.ts';
import { syncDirectory } from '../files/atomic-write.ts';
import { fileError } from '../files/file-errors.ts';
import { inPlace, type Place, type PlaceTerms } from '../files/openat.ts';
import { takeOver } from '../files/ownership.ts';
import { clearDraft, openRegular } from '../files/temporary-file.ts';
import { promisedDigest } from './checksum-file.ts';
import { fetchPart } from './fetch-part.ts';
import type { Routes } from './http-agents.ts';
import { downloadFailed, fetchText, type TransferTerms } from './transfer.ts';
import { refuseAgain, unpackOnce } from './unpack-download.ts';

/** The connections of a download, and its limits if they differ from the defaults. */
export interface DownloadTools extends Partial<Omit<TransferTerms, 'signal'>> {
  readonly routes: Routes;
  /** The signal that aborts the download. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which the whole download is aborted. */
  readonly endAfter?: number;
  /** The directory that the path of the download cannot leave, even through a link; `/` by default. */
  readonly root?: string;
}

/**
 * Downloads a release file to `.NAME.slipway-part` beside the target, verifies it, and returns its digest; `install`
 * moves it into place. Fetches only the checksum file if the target or the partial download already has the right
 * digest.
 *
 * The partial download survives a crash, and the next attempt resumes it. Throws `DownloadFailed`, `ChecksumMismatch`,
 * `ChecksumMissing`, and the errors of connections and files.
 */
export async function download(wanted: Download, tools: DownloadTools): Promise<string> {
  const { routes, stallAfter = 30_000, sizeLimit = 1024 ** 3, endAfter = 15 * 60_000, root = '/' } = tools;
  const deadline = new AbortController();
  const late = () => downloadFailed(wanted.url, `it took longer than ${endAfter / 1_000} s; it is resumed`);
  const timer = setTimeout(() => deadline.abort(late()), endAfter);
  const signal = tools.signal ? AbortSignal.any([deadline.signal, tools.signal]) : deadline.signal;
  const terms = { routes, stallAfter, sizeLimit, signal };
  try {
    const digest = promisedDigest(wanted, await fetchText(wanted.checksum.url, terms));
    await withPart(wanted, { root, make: true }, async (part, place) => {
      if (await isIntact(wanted, place, digest)) {
        return;
      }
      await refuseAgain(`${part}.refused`, digest, wanted);
      if ((await fileDigest(part)) === digest) {
        return;
      }
      await fetchPart(wanted.url, part, terms);
      await verifyDigest(wanted, part, digest);
    });
    return digest;
  } catch (thrown) {
    throw fileError(thrown, 'download to', wanted.path);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Moves a downloaded file, or the wanted member of a downloaded archive, into place, sets its owner and mode, and
 * removes the notes about the download. If the target already has this digest, only sets its owner and mode. Throws
 * `DownloadFailed` if the download no longer has this digest or cannot be unpacked, and the errors of files.
 */
export async function install(wanted: Download, digest: string, root = '/'): Promise<void> {
  await withPart(wanted, { root }, async (part, place) => {
    if (await isIntact(wanted, place, digest)) {
      return await putInPlace(place.path, wanted, place);
    }
    if ((await fileDigest(part)) !== digest) {
      throw downloadFailed(wanted.url, 'what was fetched has gone or was changed; it is fetched again');
    }
    if (wanted.member === undefined) {
      await putInPlace(part, wanted, place);
    } else {
      await unpackOnce(part, wanted.member, digest, wanted, place);
    }
    for (const note of ['json', 'refused']) {
      await rm(`${part}.${note}`, { force: true });
    }
  });
}

/**
 * Runs `work` with the path of the partial download. First removes an entry at that path, or at the path of its `.json`
 * or `.refused` note, unless the entry is a regular file with a single link that belongs to root or this user. Removes
 * the partial download if the disk is full.
 */
async function withPart(
  { path }: Download,
  terms: PlaceTerms,
  work: (part: string, place: Place) => Promise<void>,
): Promise<void> {
  await inPlace(path, terms, async (place) => {
    const part = join(place.folder, `.${basename(path)}.slipway-part`);
    try {
      for (const draft of [part, `${part}.json`, `${part}.refused`]) {
        await clearDraft(draft);
      }
      await work(part, place);
    } catch (thrown) {
      const error = fileError(thrown, 'download to', path);
      if (error.reason === 'DiskFull') {
        await rm(part, { force: true });
      }
      throw error;
    }
  });
}

/**
 * True if the file is in place with the right digest, regardless of its mode and owner; always false for an archive.
 */
async function isIntact({ member }: Download, { path }: Place, digest: string): Promise<boolean> {
  if (member !== undefined) {
    return false;
  }
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() === true && (await fileDigest(path)) === digest;
}

async function verifyDigest({ url }: Download, part: string, digest: string): Promise<void> {
  const actual = await fileDigest(part);
  if (actual === digest) {
    return;
  }
  await rm(part, { force: true });
  throw new NodeError(
    'ChecksumMismatch',
    `${url} has the sha256 ${actual}, its release promises ${digest}. It was deleted and is fetched again; ` +
      'if that repeats, check what a proxy or the mirror of releaseUrl does to it.',
  );
}

async function fileDigest(path: string): Promise<string | undefined> {
  await using file = await openRegular(path);
  if (file === undefined) {
    return undefined;
  }
  const hash = createHash('sha256');
  for await (const chunk of file.createReadStream({ autoClose: false })) {
    hash.update(chunk);
  }
  return hash.digest('hex');
}

async function putInPlace(part: string, { mode }: Download, place: Place): Promise<void> {
  await using file = await open(part, constants.O_RDONLY | constants.O_NOFOLLOW);
  await takeOver(file);
  await file.chmod(mode);
  await file.sync();
  await rename(part, place.path);
  await syncDirectory(place.folder);
}
