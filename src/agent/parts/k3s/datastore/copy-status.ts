import type { HostReader } from '../../../engine/host.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { datastoreCopiers } from './copiers.ts';
import { datastoreCopies } from './copies.ts';
import { datastoreKind } from './datastore-kind.ts';

/** A copy of the datastore that was read back, for the reports of a pass. */
export interface CopyStatus {
  /** The time of the copy, in epoch milliseconds. */
  readonly madeAt: number;
  readonly bytes: number;
  /** The change before which the copy was made. */
  readonly reason: string;
}

/** Returns the copies of the datastore, the oldest first; `undefined` on a node that makes none (`copyStep`). */
export async function copyStatus(
  host: HostReader,
  { role, paths }: K3sNode,
): Promise<readonly CopyStatus[] | undefined> {
  if (!isServer({ role }) || datastoreCopiers[await datastoreKind(host, paths)] === undefined) {
    return undefined;
  }
  const copies = await datastoreCopies(host, paths);
  return copies.map(({ madeAt, bytes, reason }) => ({ madeAt: Date.parse(madeAt), bytes, reason }));
}
