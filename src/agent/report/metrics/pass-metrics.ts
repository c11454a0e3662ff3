import type { Outcome } from '../../engine/resource.ts';
import { certificatesId } from '../../parts/k3s/index.ts';
import type { Meter, Pass } from './meter.ts';

/**
 * The histogram buckets for the duration of a pass, in seconds: from the check of a healthy node to a rotation, a
 * download or a bootstrap.
 */
const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1200];

/**
 * Registers metrics for passes: their number, durations and times, changes, starts of K3s, and unsettled resources.
 * Returns the function that updates the metrics after a pass.
 */
export function passMetrics({ gauge, counter, histogram }: Meter): (pass: Pass) => void {
  const passes = counter('passes_total', 'Passes of the loop.');
  const duration = histogram('pass_duration_seconds', 'Duration of a pass.', buckets);
  const last = gauge('last_pass_timestamp_seconds', 'When the last pass ended.');
  const next = gauge('next_pass_timestamp_seconds', 'When the next pass is due.');
  const changes = counter('changes_total', 'Changes, by the kind of resource.', ['kind']);
  const starts = counter('k3s_starts_total', 'Starts and restarts of K3s by Slipway.');
  const unsettled = gauge('resources_unsettled', 'Resources that wait or failed, by reason.', [
    'condition',
    'reason',
  ]);
  return ({ report: { outcomes, wake }, from, to }) => {
    passes.inc();
    // The clock may have been set back during the pass.
    duration.observe(Math.max(0, to - from) / 1_000);
    last.set(to / 1_000);
    next.set(wake.at / 1_000);
    unsettled.reset();
    for (const outcome of outcomes) {
      const kind = kindOf(outcome);
      const did = outcome.state === 'Changed' ? 1 : 0;
      changes.inc({ kind }, did);
      if (kind === 'Service' || outcome.resource.id === certificatesId) {
        starts.inc(isWhole(outcome) ? did : 0);
      }
      if (outcome.state !== 'Waiting' && outcome.state !== 'Failed') {
        continue;
      }
      unsettled.inc({ condition: outcome.resource.condition, reason: outcome.reason });
    }
  };
}

/** False for a step on the way to a start, such as asking for a turn. */
function isWhole(outcome: Outcome): boolean {
  return outcome.state !== 'Changed' || outcome.partial !== true;
}

function kindOf({ resource }: Outcome): string {
  return resource.id.split('/', 1)[0] ?? '';
}
