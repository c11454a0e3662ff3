import type { Meter, Pass } from './meter.ts';

const statuses = ['True', 'False', 'Unknown'] as const;

/**
 * Registers metrics for readiness and for each condition, with a series per status as in kube-state-metrics. Returns
 * the function that sets the metrics after a pass.
 */
export function conditionMetrics({ gauge }: Meter): (pass: Pass) => void {
  const ready = gauge('ready', 'Whether the node is Ready: 1 or 0.');
  const condition = gauge('condition', 'Whether a condition has this status: 1 or 0.', [
    'condition',
    'status',
  ]);
  const reason = gauge('condition_reason', 'The reason of a condition; always 1.', ['condition', 'reason']);
  const transition = gauge(
    'condition_last_transition_timestamp_seconds',
    'When the status of a condition changed, as far as this process saw it.',
    ['condition'],
  );
  return ({ report: { conditions } }) => {
    for (const each of [condition, reason, transition]) {
      each.reset();
    }
    ready.set(conditions.some(({ type, status }) => type === 'Ready' && status === 'True') ? 1 : 0);
    for (const { type, ...found } of conditions) {
      for (const status of statuses) {
        condition.set({ condition: type, status: status.toLowerCase() }, status === found.status ? 1 : 0);
      }
      reason.set({ condition: type, reason: found.reason }, 1);
      transition.set({ condition: type }, Date.parse(found.lastTransitionTime) / 1_000);
    }
  };
}
