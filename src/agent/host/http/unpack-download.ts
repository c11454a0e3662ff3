import { open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { NodeError } from '../../engine/errors.ts';
import type { Download } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';
import { atomicWrite, replaceWith } from '../files/atomic-write.ts';
import { readNote } from '../files/bounded-read.ts';
import { fileError } from '../files/file-errors.ts';
import type { Place } from '../files/openat.ts';
import { takeOver } from '../files/ownership.ts';
import { unpackMember } from '../files/unpack.ts';
import { downloadFailed } from './transfer.ts';

/**
 * Unpacks a member of an archive into place, and removes the archive. If the archive is faulty, records its digest in
 * `ARCHIVE.refused` and throws, so that later attempts do not fetch and unpack the same archive again.
 */
export async function unpackOnce(
  archive: string,
  member: string,
  digest: string,
  wanted: Download,
  place: Place,
): Promise<void> {
  try {
    await unpackDraft(archive, member, wanted, place);
  } catch (thrown) {
    if (thrown instanceof NodeError && thrown.endedBy === 'person') {
      await atomicWrite(`${archive}.refused`, digest, 0o600);
      await rm(archive, { force: true });
    }
    throw thrown;
  }
}

export async function refuseAgain(note: string, digest: string, { url, path }: Download): Promise<void> {
  if ((await readNote(note)) !== digest) {
    return;
  }
  const seen = join(dirname(path), basename(note));
  const why = `its archive was refused when it was unpacked, and its checksum is still the same. Check the releaseUrl in the settings; to try it again: rm ${seen}`;
  throw downloadFailed(url, why, forPerson);
}

/** Unpacks one member of a verified archive into place, and removes the archive. */
async function unpackDraft(
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
