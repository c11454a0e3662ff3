import { stat } from 'node:fs/promises';
import { toNodeError } from '../../engine/errors.ts';
import { fileError, unlessMissing } from '../files/file-errors.ts';
import { inPlace } from '../files/openat.ts';
import { compressFile, decompressFile } from './compress-file.ts';
import { copyDatabase } from './copy-database.ts';
import { childReason, type DatabaseAnswer, type DatabaseWork } from './database-work.ts';
import { databaseFacts } from './read-database.ts';
import { snapshotFacts } from './read-snapshot.ts';

/** Does the work of the child process, and returns its answer; an error is an answer too. */
export async function doDatabaseWork(work: DatabaseWork): Promise<DatabaseAnswer> {
  try {
    return await workDone(work);
  } catch (thrown) {
    const path = 'path' in work ? work.path : work.to;
    const { reason, message, endedBy } = toNodeError(fileError(thrown, work.do, path));
    return { reason: childReason(reason), message, isForPerson: endedBy === 'person' };
  }
}

async function workDone(work: DatabaseWork): Promise<DatabaseAnswer> {
  const { root } = work;
  if (work.do === 'copy') {
    const copy = (from: string) => copyDatabase({ ...work, from }, root);
    return { facts: await below(work.from, root, copy) };
  }
  if (!('path' in work)) {
    const convert = work.do === 'compress' ? compressFile : decompressFile;
    return { compressed: await below(work.from, root, (from) => convert({ ...work, from }, root)) };
  }
  return below(work.path, root, async (path): Promise<DatabaseAnswer> => {
    if ((await unlessMissing(stat(path))) === undefined) {
      return { missing: true };
    }
    const facts =
      work.do === 'read'
        ? databaseFacts(path, work.queries, work.path)
        : snapshotFacts(path, work.queries, work.path);
    return { facts: await facts };
  });
}

/**
 * Runs `work` on a path that does not leave the root. If the root is `/`, the kernel resolves the path, as for every
 * read.
 */
function below<Result>(path: string, root: string, work: (path: string) => Promise<Result>): Promise<Result> {
  return root === '/' ? work(path) : inPlace(path, { root, follow: true }, (place) => work(place.path));
}
