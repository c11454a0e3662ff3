import type { SnapshotQuery } from '../../engine/snapshot.ts';
import type { BoltEntry } from './bolt-pages.ts';

/** What is shown each revision in a snapshot of etcd, in their order, and then has the answer to a query. */
export interface Answer {
  see(revision: BoltEntry): void;
  found(): readonly string[];
}

/** The most names of an answer. */
const mostNames = 100;

/** Returns the answer to a query, which has seen no revision yet. */
export function answerTo(query: SnapshotQuery): Answer {
  if (query === 'revision') {
    return newest();
  }
  return 'count' in query ? counted(Buffer.from(query.count)) : named(Buffer.from(query.names));
}

function newest(): Answer {
  let revision = 0n;
  return {
    see({ key }) {
      revision = key.readBigUInt64BE(0);
    },
    found: () => [String(revision)],
  };
}

function counted(prefix: Buffer): Answer {
  let count = 0;
  return {
    see(revision) {
      if (!isTombstone(revision) && begins(nameIn(revision), prefix)) {
        count += 1;
      }
    },
    found: () => [String(count)],
  };
}

function named(prefix: Buffer): Answer {
  const names = new Set<string>();
  return {
    see(revision) {
      const name = nameIn(revision);
      if (begins(name, prefix)) {
        isTombstone(revision) ? names.delete(name.toString()) : names.add(name.toString());
      }
    },
    found: () => [...names].slice(0, mostNames),
  };
}

/** True for the revision that deletes a key: its own name has a mark at its end (etcd, mvcc/revision.go). */
function isTombstone({ key }: BoltEntry): boolean {
  return key.length === 18;
}

function begins(name: Buffer, prefix: Buffer): boolean {
  return name.subarray(0, prefix.length).equals(prefix);
}

/** Returns the key of etcd in a revision: the first field of a KeyValue (etcd, api/mvccpb/kv.proto). */
function nameIn({ value }: BoltEntry): Buffer {
  if (value[0] !== 0x0a) {
    throw new Error('a revision names no key');
  }
  let [length, shift, at] = [0, 0, 1];
  for (; ; at++) {
    const byte = value.readUInt8(at);
    length += (byte & 0x7f) * 2 ** shift;
    shift += 7;
    if (byte < 0x80 || shift > 28) {
      break;
    }
  }
  return value.subarray(at + 1, at + 1 + length);
}
