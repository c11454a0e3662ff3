import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { NodeError } from '../../engine/errors.ts';
import type { Download } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';
import { atomicWrite, replaceWith, syncDirectory } from '../files/atomic-write.ts';
import { readNote } from '../files/bounded-read.ts';
import { fileError } from '../files/file-errors.ts';
import { inPlace, type Place } from '../files/openat.ts';
import { takeOver } from '../files/ownership.ts';
import { clearDraft, openRegular } from '../files/temporary-file.ts';
import { unpackMember } from '../files/unpack.ts';
import { fetchPart } from './fetch-part.ts';
import type { Routes } from './http-agents.ts';
import { downloadFailed, fetchText, type TransferTerms } from './transfer.ts';

/** The parts of the host that a download needs, and its limits if they differ from the usual ones. */
export interface DownloadTools extends Partial<Omit<TransferTerms, 'signal'>> {
  readonly routes: Routes;
  /** Milliseconds for everything that comes over the network. */
  readonly endAfter?: number;
  /** Keeps paths below this directory (openat.ts); `/` by default. */
  readonly root?: string;
}

/**
 * Downloads and verifies a release file, and renames it into place.
 *
 * The transfer is written to `.NAME.slipway-part` beside the goal and outlives a crash; the next attempt resumes it.
 * Only a file with the digest of the release's checksum file gets its mode and is renamed into place. `DownloadFailed`,
 * `ChecksumMismatch`, `ChecksumMissing`, and the errors of connections and files.
 */
export async function download(wanted: Download, tools: DownloadTools): Promise<void> {
  const { routes, stallAfter = 30_000, sizeLimit = 1024 ** 3, endAfter = 15 * 60_000, root = '/' } = tools;
  const deadline = new AbortController();
  const late = () => downloadFailed(wanted.url, `it took longer than ${endAfter / 1_000} s; it is resumed`);
  const timer = setTimeout(() => deadline.abort(late()), endAfter);
  const terms = { routes, stallAfter, sizeLimit, signal: deadline.signal };
  try {
    const digest = promised(wanted, await fetchText(wanted.checksum.url, terms));
    await inPlace(wanted.path, { root, make: true }, (place) => bring(wanted, digest, place, terms));
  } catch (thrown) {
    throw fileError(thrown, 'download to', wanted.path);
  } finally {
    clearTimeout(timer);
  }
}

async function bring(wanted: Download, digest: string, place: Place, terms: TransferTerms): Promise<void> {
  const part = join(place.folder, `.${basename(wanted.path)}.slipway-part`);
  try {
    for (const draft of [part, `${part}.json`, `${part}.refused`]) await clearDraft(draft);
    if (wanted.member === undefined && (await isIntact(place.path, digest)))
      return await install(place.path, wanted, place);
    await refuseAgain(`${part}.refused`, digest, wanted);
    await fetchVerified(wanted, digest, part, terms);
    if (wanted.member === undefined) await install(part, wanted, place);
    else await unpackOnce(part, wanted.member, digest, wanted, place);
    for (const note of ['json', 'refused']) await rm(`${part}.${note}`, { force: true });
  } catch (thrown) {
    const error = fileError(thrown, 'download to', wanted.path);
    if (error.reason === 'DiskFull') await rm(part, { force: true });
    throw error;
  }
}

/**
 * True for a file that is in place with the right digest, and is not fetched again; corrects its mode and its owner.
 */
async function isIntact(path: string, digest: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() === true && (await fileDigest(path)) === digest;
}

async function fetchVerified(
  wanted: Download,
  digest: string,
  part: string,
  terms: TransferTerms,
): Promise<void> {
  if ((await fileDigest(part)) === digest) return;
  await fetchPart(wanted.url, part, terms);
  await verify(wanted, part, digest);
}

/** Returns the digest in a sha256sum file: a line of 64 hex digits, blank, blank or `*`, the name. */
function promised({ checksum: { url, name } }: Download, text: string): string {
  for (const line of text.split('\n')) {
    const [, digest] = /^([0-9a-f]{64}) /i.exec(line) ?? [];
    if (digest !== undefined && nameOf(line) === name) return digest.toLowerCase();
  }
  throw new NodeError(
    'ChecksumMissing',
    `${url} has no sha256 line for ${name}, so it cannot be verified. Check the version and the releaseUrl in the settings.`,
    forPerson,
  );
}

/**
 * Returns what follows the digest. No pattern looks for its end: one that backtracks takes minutes for a line of
 * megabytes.
 */
function nameOf(line: string): string {
  const rest = line.slice(65).trimEnd();
  return /^[ *]./.test(rest) ? rest.slice(1) : rest;
}

async function verify({ url }: Download, part: string, digest: string): Promise<void> {
  const actual = await fileDigest(part);
  if (actual === digest) return;
  await rm(part, { force: true });
  throw new NodeError(
    'ChecksumMismatch',
    `${url} has the sha256 ${actual}, its release promises ${digest}. It was deleted and is fetched again; ` +
      'if that repeats, check what a proxy or the mirror of releaseUrl does to it.',
  );
}

async function fileDigest(path: string): Promise<string | undefined> {
  await using file = await openRegular(path);
  if (file === undefined) return undefined;
  const hash = createHash('sha256');
  for await (const chunk of file.createReadStream({ autoClose: false })) hash.update(chunk);
  return hash.digest('hex');
}

async function install(part: string, { mode }: Download, place: Place): Promise<void> {
  await using file = await open(part, constants.O_RDONLY | constants.O_NOFOLLOW);
  await takeOver(file);
  await file.chmod(mode);
  await file.sync();
  await rename(part, place.path);
  await syncDirectory(place.folder);
}

/**
 * Unpacks an archive unless it was refused before: its digest is noted, so that a faulty archive is not fetched and
 * unpacked at every attempt.
 */
async function unpackOnce(
  archive: string,
  member: string,
  digest: string,
  wanted: Download,
  place: Place,
): Promise<void> {
  try {
    await unpack(archive, member, wanted, place);
  } catch (thrown) {
    if (thrown instanceof NodeError && thrown.endedBy === 'person') {
      await atomicWrite(`${archive}.refused`, digest, 0o600);
      await rm(archive, { force: true });
    }
    throw thrown;
  }
}

async function refuseAgain(note: string, digest: string, { url, path }: Download): Promise<void> {
  if ((await readNote(note)) !== digest) return;
  const seen = join(dirname(path), basename(note));
  const why = `its archive was refused when it was unpacked, and its checksum is still the same. Check the releaseUrl in the settings; to try it again: rm ${seen}`;
  throw downloadFailed(url, why, forPerson);
}

/** Unpacks one member of an archive that was verified as a whole. */
async function unpack(
  archive: string,
  member: string,
  { path, mode, url }: Download,
  place: Place,
): Promise<void> {
  await replaceWith(place.path, async (temporary) => {
    await using file = await open(temporary, 'wx', 0o600);
    await unpackMember(
      archive,
      member,
      async (bytes) => {
        await file.appendFile(bytes).catch((thrown) => {
          throw fileError(thrown, 'unpack to', path);
        });
      },
      url,
    );
    await takeOver(file);
    await file.chmod(mode);
    await file.sync();
  });
  await rm(archive, { force: true });
}
