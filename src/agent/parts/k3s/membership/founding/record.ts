import * as z from 'zod/mini';
import type { Host, HostReader } from '../../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../../engine/own-file.ts';
import { ownFiles } from '../../../../own-files.ts';
import type { NodePaths } from '../../../../paths.ts';

const schema = z.object({
  /**
   * `claiming` before the claim is made; `founds` or `joins` once decided; `migrates` while the server moves from
   * SQLite to etcd; `member` once the disk has the cluster.
   */
  state: z.enum(['claiming', 'founds', 'joins', 'migrates', 'member']),
  /** The random text of the claim, which dies with this disk; absent once the cluster is founded. */
  nonce: z.optional(z.string()),
  /** The server that this server joins or has joined; absent on the server that founds the cluster. */
  server: z.optional(z.string()),
  /** The digest of the token under which the cluster is claimed beside the backups. */
  claimed: z.optional(z.string()),
  /** When this state began, in epoch milliseconds. */
  at: z.number(),
});

/** How a server with embedded etcd came or comes to its cluster. */
export type FoundingRecord = z.output<typeof schema>;

/** Returns the record of this server; `undefined` if nothing is decided yet, or the record is damaged. */
export async function readFounding(
  host: HostReader,
  { slipway }: NodePaths,
): Promise<FoundingRecord | undefined> {
  const found = await host.readFile(slipway.founding);
  return found && readOwn(schema, found.content);
}

/** Replaces the record. */
export async function writeFounding(
  host: Host,
  { slipway }: NodePaths,
  record: FoundingRecord,
): Promise<void> {
  await host.writeFile(slipway.founding, renderOwn(ownFiles.founding, record), { mode: 0o600 });
}
