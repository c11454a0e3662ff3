import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { DatabaseFacts } from '../../engine/database.ts';
import type { SnapshotQueries } from '../../engine/snapshot.ts';
import { chunksOf } from '../files/large-files.ts';
import { bucketEntries, openBolt } from './bolt-pages.ts';
import { damaged } from './database-errors.ts';
import { answerTo } from './snapshot-answers.ts';

/** The bytes of the digest at the end of a snapshot. */
const digestSize = 32;
/** The smallest sector: a database has a multiple of it, so the rest shows whether a digest follows. */
const sector = 512;

/**
 * Reads a whole snapshot of etcd: compares the digest at its end with its content, as etcd does before a restore
 * (etcd, etcdutl/snapshot/v3_snapshot.go), and reads the answers from its database. `shown` is the path for messages.
 * Throws `DatabaseDamaged`, and the system's errors.
 */
export async function snapshotFacts(
  path: string,
  queries: SnapshotQueries,
  shown: string,
): Promise<DatabaseFacts> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  if (size % sector !== digestSize) {
    throw damaged(
      shown,
      `it is not a whole snapshot of etcd, since its size of ${size} bytes leaves no digest`,
    );
  }
  const { sha256, isWhole } = await digestsOf(file, size);
  if (!isWhole) {
    throw damaged(shown, 'the digest at the end of the snapshot is not that of its content');
  }
  try {
    return { bytes: size, sha256, answers: answersOf(file.fd, size - digestSize, queries) };
  } catch (thrown) {
    throw damaged(shown, thrown);
  }
}

/** Returns the digest of the file, and whether the digest at its end is that of the bytes before. */
async function digestsOf(file: FileHandle, size: number) {
  const [whole, content] = [createHash('sha256'), createHash('sha256')];
  const end = Buffer.alloc(digestSize);
  let position = 0;
  for await (const chunk of chunksOf(file)) {
    whole.update(chunk);
    const isContent = Math.max(0, Math.min(chunk.length, size - digestSize - position));
    content.update(chunk.subarray(0, isContent));
    chunk.copy(end, Math.max(0, position - (size - digestSize)), isContent);
    position += chunk.length;
  }
  return { sha256: whole.digest('hex'), isWhole: content.digest().equals(end) };
}

/** Reads the answers from etcd's bucket of revisions, whose entries are sorted by revision. */
function answersOf(fd: number, bytes: number, queries: SnapshotQueries): DatabaseFacts['answers'] {
  const answers = Object.entries(queries).map(([name, query]) => [name, answerTo(query)] as const);
  for (const entry of bucketEntries(openBolt(fd, bytes), 'key')) {
    for (const [, answer] of answers) {
      answer.see(entry);
    }
  }
  return Object.fromEntries(answers.map(([name, answer]) => [name, answer.found()]));
}
