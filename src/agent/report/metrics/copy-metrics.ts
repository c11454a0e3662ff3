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
  return ({ report: { copies } }) => {
    for (const each of [count, madeAt, bytes]) {
      each.reset();
    }
    if (copies === undefined) {
      return;
    }
    const { datastore, made } = copies;
    const last = made.at(-1);
    count.set({ datastore }, made.length);
    if (last) {
      madeAt.set({ datastore }, last.madeAt / 1_000);
      bytes.set({ datastore }, last.bytes);
    }
  };
}
