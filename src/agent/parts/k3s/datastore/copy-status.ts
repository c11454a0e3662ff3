import type { HostReader } from '../../../engine/host.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { datastoreCopiers } from './copiers.ts';
import { datastoreCopies } from './copies.ts';
import { type DatastoreKind, datastoreKind } from './datastore-kind.ts';

/** The copies of a node, for the reports of a pass: of which kind the next one is, and those that there are. */
export interface CopiesStatus {
  readonly datastore: DatastoreKind;
  /** The oldest first. */
  readonly made: readonly CopyStatus[];
}

/** A copy of the datastore that was read back. */
export interface CopyStatus {
  /** The time of the copy, in epoch milliseconds. */
  readonly madeAt: number;
  readonly bytes: number;
  /** The change before which the copy was made. */
  readonly reason: string;
}

/** Returns the copies of the datastore; `undefined` on a node that makes none (`copyStep`). */
export async function copyStatus(
  host: HostReader,
  { role, paths }: K3sNode,
): Promise<CopiesStatus | undefined> {
  const datastore = await datastoreKind(host, paths);
  if (!isServer({ role }) || datastoreCopiers[datastore] === undefined) {
    return undefined;
  }
  const copies = await datastoreCopies(host, paths);
  const made = copies.map(({ madeAt, bytes, reason }) => ({ madeAt: Date.parse(madeAt), bytes, reason }));
  return { datastore, made };
}
