import type { Meter, Pass } from './meter.ts';

/**
 * Registers the metric for the time until each certificate of K3s ends. Returns the function that sets the metric after
 * a pass.
 */
export function certificateMetrics({ gauge }: Meter): (pass: Pass) => void {
  const remaining = gauge(
    'certificate_remaining_seconds',
    'Seconds until a certificate of K3s ends, as of the last pass; negative after its end.',
    ['certificate', 'kind'],
  );
  return ({ report: { certificates }, to }) => {
    remaining.reset();
    for (const { name: certificate, kind, ends } of certificates) {
      remaining.set({ certificate, kind }, (ends - to) / 1_000);
    }
  };
}
