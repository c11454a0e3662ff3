import { Registry } from 'prom-client';
import { conditionMetrics } from './condition-metrics.ts';
import { meter, type Pass } from './meter.ts';
import { passMetrics } from './pass-metrics.ts';
import { type ProcessFacts, processMetrics } from './process-metrics.ts';
import { registryMetrics } from './registry-metrics.ts';

/** The metrics of one process, in a registry of their own. */
export interface Metrics {
  observe(pass: Pass): void;
  /** Returns all of them in the text format of Prometheus; those of the process are read now. */
  text(): Promise<string>;
  readonly contentType: string;
}

/**
 * Makes metrics from the reports of passes alone. Labels are names of the vocabulary, of settings and of releases:
 * never a message, which may quote others.
 */
export function createMetrics(facts: ProcessFacts): Metrics {
  const registry = new Registry();
  const subjects = [conditionMetrics, passMetrics, registryMetrics, processMetrics(facts)];
  const observers = subjects.map((subject) => subject(meter(registry)));
  return {
    observe(pass) {
      for (const observe of observers) {
        observe(pass);
      }
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
