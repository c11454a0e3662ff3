import type { DatabaseFacts } from '../../src/agent/engine/database.ts';
import { sha256 } from '../../src/agent/engine/digest.ts';
import type { SnapshotQueries, SnapshotQuery } from '../../src/agent/engine/snapshot.ts';
import { damaged } from '../../src/agent/host/database/database-errors.ts';

const head = 'snapshot of etcd';

/**
 * Returns the content of a snapshot of etcd on a MemoryHost: its first line, a revision on each further line, which
 * puts a key or, with a leading `-`, deletes it, and the digest of these lines at the end.
 */
export function snapshotText(revisions: readonly string[]): string {
  const content = `${[head, ...revisions].join('\n')}\n`;
  return `${content}${sha256(content)}`;
}

/** Returns the facts about a snapshot of a MemoryHost. Throws `DatabaseDamaged` unless it is one of `snapshotText`. */
export function memorySnapshot(path: string, text: string, queries: SnapshotQueries): DatabaseFacts {
  const [first, ...revisions] = text.split('\n').slice(0, -1);
  if (first !== head || text !== snapshotText(revisions)) {
    throw damaged(path, 'the digest at the end of the snapshot is not that of its content');
  }
  const answers = Object.entries(queries).map(([name, query]) => [name, answer(revisions, query)]);
  return { bytes: Buffer.byteLength(text), sha256: sha256(text), answers: Object.fromEntries(answers) };
}

function answer(revisions: readonly string[], query: SnapshotQuery): readonly string[] {
  if (query === 'revision') {
    // The first key of an etcd has the revision 2.
    return [String(revisions.length + 1)];
  }
  if ('count' in query) {
    return [String(revisions.filter((line) => line.startsWith(query.count)).length)];
  }
  const present = new Set<string>();
  for (const line of revisions) {
    line.startsWith('-') ? present.delete(line.slice(1)) : present.add(line);
  }
  return [...present].filter((key) => key.startsWith(query.names));
}
