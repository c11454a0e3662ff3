import { NodeError } from '../../engine/errors.ts';
import type { Host } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import {
  type CopyManifest,
  type DatastoreCopier,
  type DatastoreKind,
  datastoreCopiers,
  describeCopy,
  kineFacts,
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

/** Returns what a backup does with a kind of datastore; `undefined` if Slipway does not back it up. */
export function backupSource(kind: DatastoreKind): BackupSource | undefined {
  const copier = datastoreCopiers[kind];
  return copier && sourceOf(kind, copier);
}

function sourceOf(kind: DatastoreKind, copier: DatastoreCopier): BackupSource {
  return {
    async copy(host, node, { to, reason, version }, signal) {
      const { paths } = node;
      const size = await copier.size(host, paths);
      if (size === undefined) {
        throw new NodeError('ServiceStarting', 'K3s has no datastore yet.', { blocks: false });
      }
      const facts = await copier.copy(host, node, { to, room: size.room }, signal);
      return describeCopy(host, paths, facts, { kind, reason, version, from: to });
    },
    async open(host, path, { revision, objects }) {
      const facts = await copier.read(host, path);
      const found = facts && kineFacts(facts, path);
      if (found?.revision !== revision || found.objects !== objects) {
        throw new NodeError(
          'DatabaseDamaged',
          `${path} has ${found?.objects} objects up to revision ${found?.revision}.`,
        );
      }
    },
  };
}
