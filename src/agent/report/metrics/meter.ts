import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Report, Span } from '../../agent.ts';

/** The data of a pass for the metrics. */
export interface Pass extends Span {
  readonly report: Report;
}

export type Meter = ReturnType<typeof meter>;

/** Returns functions that make metrics in a registry and prefix every name with `slipway_`. */
export function meter(registry: Registry) {
  const common = (name: string, help: string) => ({ name: `slipway_${name}`, help, registers: [registry] });
  return {
    gauge: <Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []) =>
      new Gauge<Label>({ ...common(name, help), labelNames }),
    counter: <Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []) =>
      new Counter<Label>({ ...common(name, help), labelNames }),
    histogram: (name: string, help: string, buckets: readonly number[]) =>
      new Histogram({ ...common(name, help), buckets: [...buckets] }),
    /** Makes a gauge whose value is read on each scrape. */
    liveGauge: (name: string, help: string, read: () => number) =>
      new Gauge({
        ...common(name, help),
        collect() {
          this.set(read());
        },
      }),
    /** Makes a counter whose value is kept elsewhere and read on each scrape. */
    liveCounter: (name: string, help: string, read: () => number) =>
      new Counter({
        ...common(name, help),
        collect() {
          this.reset();
          this.inc(read());
        },
      }),
  };
}
