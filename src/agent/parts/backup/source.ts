import { NodeError } from '../../engine/errors.ts';
import type { Host } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import {
  type CopyManifest,
  copySqlite,
  type DatastoreKind,
  describeCopy,
  kineFacts,
  kineQueries,
  sqliteSize,
} from '../k3s/index.ts';

/** What a backup of one kind of datastore does on the machine. */
export interface BackupSource {
  /** Copies the datastore to a file, and returns the facts about the copy, made for `reason` by K3s `version`. */
  copy(
    host: Host,
    node: K3sNode,
    about: { readonly to: string; readonly reason: string; readonly version: string },
    signal: AbortSignal,
  ): Promise<CopyManifest>;
  /** Opens a copy that came back from the store. Throws a NodeError if K3s could not start from it. */
  open(host: Host, path: string, expected: CopyManifest): Promise<void>;
}

/** The kinds of datastore that Slipway backs up. */
export const backupSources: Readonly<Partial<Record<DatastoreKind, BackupSource>>> = {
  sqlite: {
    async copy(host, node, { to, reason, version }, signal) {
      const { paths } = node;
      const size = await sqliteSize(host, paths);
      if (size === undefined) {
        throw new NodeError('ServiceStarting', 'K3s has no datastore yet.', { blocks: false });
      }
      const facts = await copySqlite(host, paths, { to, room: size.room }, signal);
      return describeCopy(host, paths, facts, { reason, version, from: to });
    },
    async open(host, path, { revision, objects }) {
      const facts = await host.readDatabase(path, kineQueries);
      const found = facts && kineFacts(facts, path);
      if (found?.revision !== revision || found.objects !== objects) {
        throw new NodeError(
          'DatabaseDamaged',
          `${path} has ${found?.objects} objects up to revision ${found?.revision}.`,
        );
      }
    },
  },
};
