import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { NodeError } from '../core/errors.ts';
import type { Download } from '../core/host.ts';
import { makeDirectory, replaceWith, syncDirectory } from './atomic-write.ts';
import { commandFailed } from './command-failed.ts';
import { execute } from './exec.ts';
import { fetchPart } from './fetch-part.ts';
import { errnoOf, fileError } from './file-errors.ts';
import type { Routes } from './http-agents.ts';
import { downloadFailed, fetchText, type TransferTerms } from './transfer.ts';

/** What a download needs of its host, and its limits where they are not the usual ones. */
export interface DownloadTools extends Partial<Omit<TransferTerms, 'signal'>> {
  readonly routes: Routes;
  readonly environment: Readonly<Record<string, string>>;
  /** Milliseconds for everything that comes over the network. */
  readonly endAfter?: number;
}

/**
 * Brings a verified release file into place.
 *
 * The transfer grows in `.NAME.slipway-part` beside the goal and outlives a crash; the next attempt resumes it. Only
 * what has the digest of the release's checksum file is given its mode and renamed into place. `DownloadFailed`,
 * `ChecksumMismatch`, `ChecksumMissing`, and what connections and files can throw.
 */
export async function download(wanted: Download, tools: DownloadTools): Promise<void> {
  const { routes, stallAfter = 30_000, sizeLimit = 1024 ** 3, endAfter = 15 * 60_000 } = tools;
  const part = join(dirname(wanted.path), `.${basename(wanted.path)}.slipway-part`);
  const deadline = new AbortController();
  const late = () => downloadFailed(wanted.url, `it took longer than ${endAfter / 1_000} s; it is resumed`);
  const timer = setTimeout(() => deadline.abort(late()), endAfter);
  try {
    await fetchVerified(wanted, part, { routes, stallAfter, sizeLimit, signal: deadline.signal });
    if (wanted.member === undefined) await install(part, wanted);
    else await unpack(part, wanted.member, wanted, tools);
    await rm(`${part}.json`, { force: true });
  } catch (thrown) {
    const error = fileError(thrown, 'download to', wanted.path);
    if (error.reason === 'DiskFull') await rm(part, { force: true });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function fetchVerified(wanted: Download, part: string, terms: TransferTerms): Promise<void> {
  const digest = promised(wanted, await fetchText(wanted.checksum.url, terms));
  await makeDirectory(dirname(wanted.path));
  if ((await sha256(part)) === digest) return;
  await fetchPart(wanted.url, part, terms);
  await verify(wanted, part, digest);
}

/** The digest that a sha256sum file promises: a line of 64 hex digits, blank, blank or `*`, the name. */
function promised({ checksum: { url, name } }: Download, text: string): string {
  for (const line of text.split('\n')) {
    const [, digest] = /^([0-9a-f]{64}) /i.exec(line) ?? [];
    if (digest !== undefined && nameOf(line) === name) return digest.toLowerCase();
  }
  throw new NodeError(
    'ChecksumMissing',
    `${url} has no sha256 line for ${name}, so it cannot be verified. Check the version and the releaseUrl in the settings.`,
    { retry: { pace: 'slow' } },
  );
}

/** What follows the digest. No pattern looks for its end: one that backtracks takes minutes for a line of megabytes. */
function nameOf(line: string): string {
  const rest = line.slice(65).trimEnd();
  return /^[ *]./.test(rest) ? rest.slice(1) : rest;
}

async function verify({ url }: Download, part: string, digest: string): Promise<void> {
  const actual = await sha256(part);
  if (actual === digest) return;
  await rm(part, { force: true });
  throw new NodeError(
    'ChecksumMismatch',
    `${url} has the sha256 ${actual}, its release promises ${digest}. It was thrown away and is fetched again; ` +
      'if it stays so, look what a proxy or the mirror of releaseUrl makes of it.',
  );
}

async function sha256(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk);
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
  return hash.digest('hex');
}

async function install(part: string, { path, mode }: Download): Promise<void> {
  await chmod(part, mode);
  await sync(part);
  await rename(part, path);
  await syncDirectory(dirname(path));
}

/** Takes one member out of the archive, which was verified as a whole. */
async function unpack(
  archive: string,
  member: string,
  { path, mode }: Download,
  { environment }: DownloadTools,
): Promise<void> {
  const command = { file: 'tar', args: ['-xzOf', archive, '--', member], timeout: 300_000 };
  await replaceWith(path, async (temporary) => {
    await using file = await open(temporary, 'wx', 0o600);
    const result = await execute(command, environment, (bytes) => save(bytes, file, path));
    if (result.exitCode !== 0) throw commandFailed(command, result);
    await file.chmod(mode);
    await file.sync();
  });
  await rm(archive, { force: true });
}

/** Written here and not by tar, which would not tell a full disk from a damaged archive. */
async function save(bytes: Readable, file: FileHandle, path: string): Promise<void> {
  try {
    for await (const chunk of bytes) await file.appendFile(chunk);
  } catch (thrown) {
    throw fileError(thrown, 'unpack to', path);
  }
}

async function sync(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}
