import type { Meter, Pass } from './meter.ts';

/**
 * Registers the metrics for the backups. Returns the function that sets the metrics after a pass; they have no sample
 * on a node that makes no backups, and only that of the next one before the first backup was proven.
 */
export function backupMetrics({ gauge }: Meter): (pass: Pass) => void {
  const provenAt = gauge('backup_proven_timestamp_seconds', 'When the last proven backup was made.', ['to']);
  const bytes = gauge('backup_bytes', 'The size of the datastore in the last proven backup.', ['to']);
  const stored = gauge('backup_stored_bytes', 'The size of the last proven backup in its store.', ['to']);
  const due = gauge('backup_due_timestamp_seconds', 'When the next backup is due.', ['to']);
  return ({ report: { backup } }) => {
    for (const each of [provenAt, bytes, stored, due]) {
      each.reset();
    }
    if (backup === undefined) {
      return;
    }
    const { to, proven } = backup;
    due.set({ to }, backup.due / 1_000);
    if (proven) {
      provenAt.set({ to }, proven.madeAt / 1_000);
      bytes.set({ to }, proven.bytes);
      stored.set({ to }, proven.stored);
    }
  };
}
