import { type FileHandle, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import * as z from 'zod/mini';
import { readOwn, renderOwn } from '../../engine/own-file.ts';
import { forPerson } from '../../engine/severity.ts';
import { ownFiles } from '../../own-files.ts';
import { atomicWrite } from '../files/atomic-write.ts';
import { readNote } from '../files/bounded-read.ts';
import { errnoOf } from '../files/file-errors.ts';
import { openDraft } from '../files/temporary-file.ts';
import { downloadFailed, succeed, type TransferTerms, transfer } from './transfer.ts';

/**
 * Fetches a file into `part`, and notes its URL and validator in `PART.json`. Resumes an earlier attempt if the server
 * still has the same file (Range with If-Range, RFC 9110 section 13.1.5) and supports ranges; otherwise starts over.
 * Throws `DownloadFailed`, and the errors of connections and files.
 */
export async function fetchPart(address: string, part: string, terms: TransferTerms): Promise<void> {
  const begun = await resumable(address, part);
  const stale = await transfer(address, rangeFrom(begun), terms, async (response, bytes) => {
    const resumed = begun !== undefined && startsAt(response, begun.size);
    if (begun && !resumed && [206, 416].includes(response.statusCode ?? 0)) {
      return true;
    }
    succeed(response, address);
    await using file = await openDraft(part, resumed ? 'append' : 'anew');
    const note = renderOwn(ownFiles.partialDownload, noteOf(address, response));
    if (!resumed) {
      await atomicWrite(`${part}.json`, note, 0o600);
    }
    await appendBody(file, bytes, terms.sizeLimit, address);
    return false;
  });
  if (stale) {
    await startOver(address, part, terms);
  }
}

/**
 * Empties the partial file and fetches the whole file, because the server's answer did not continue the partial file.
 */
async function startOver(address: string, part: string, terms: TransferTerms): Promise<void> {
  await openDraft(part, 'anew').then((file) => file.close());
  await fetchPart(address, part, terms);
}

/**
 * Appends the received bytes to the partial file. If the file exceeds the limit, empties it and throws
 * `DownloadFailed`.
 */
async function appendBody(
  file: FileHandle,
  bytes: AsyncIterable<Buffer>,
  sizeLimit: number,
  address: string,
): Promise<void> {
  let { size } = await file.stat();
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > sizeLimit) {
      await file.truncate();
      const why = `it is larger than ${sizeLimit} bytes, as no release file is. Check the releaseUrl in the settings`;
      throw downloadFailed(address, why, forPerson);
    }
    await file.appendFile(chunk);
  }
}

/**
 * The note about a partial download: the URL of the file, and the validator by which the server recognizes the file's
 * content.
 */
interface Note {
  readonly url: string;
  readonly validator: string | undefined;
}

function noteOf(url: string, { headers }: IncomingMessage): Note {
  const etag = headers.etag?.startsWith('"') ? headers.etag : undefined;
  return { url, validator: etag ?? headers['last-modified'] };
}

async function resumable(url: string, part: string) {
  try {
    const { size } = await stat(part);
    const note = readOwn(noteSchema, (await readNote(`${part}.json`)) ?? '');
    return size === 0 || note?.url !== url ? undefined : { size, validator: note.validator };
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') {
      return undefined;
    }
    throw thrown;
  }
}

/**
 * The schema of a usable note. Rejects a validator that cannot be sent as a header (RFC 9110 section 5.5), because it
 * would break every later attempt.
 */
const noteSchema = z.object({
  url: z.string(),
  validator: z.string().check(z.regex(/^[\t\x20-\x7e\x80-\xff]+$/)),
});

type Begun = Awaited<ReturnType<typeof resumable>>;

function rangeFrom(begun: Begun): Record<string, string> {
  return begun ? { range: `bytes=${begun.size}-`, 'if-range': begun.validator } : {};
}

function startsAt({ statusCode, headers }: IncomingMessage, offset: number): boolean {
  return statusCode === 206 && (headers['content-range']?.startsWith(`bytes ${offset}-`) ?? false);
}
