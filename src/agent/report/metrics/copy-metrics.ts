import type { Meter, Pass } from './meter.ts';

/**
 * Registers the metrics for the copies of the datastore. Returns the function that sets the metrics after a pass; they
 * have no sample on a node that makes no copies.
 */
export function copyMetrics({ gauge }: Meter): (pass: Pass) => void {
  const count = gauge('datastore_copies', 'The number of copies of the datastore that were read back.', [
    'datastore',
  ]);
  const madeAt = gauge('datastore_copy_timestamp_seconds', 'When the last copy of the datastore was made.', [
    'datastore',
  ]);
  const bytes = gauge('datastore_copy_bytes', 'The size of the last copy of the datastore.', ['datastore']);
  const datastore = 'sqlite';
  return ({ report: { copies } }) => {
    for (const each of [count, madeAt, bytes]) {
      each.reset();
    }
    const last = copies?.at(-1);
    if (copies) {
      count.set({ datastore }, copies.length);
    }
    if (last) {
      madeAt.set({ datastore }, last.madeAt / 1_000);
      bytes.set({ datastore }, last.bytes);
    }
  };
}
