import { Registry } from 'prom-client';
import { backupMetrics } from './backup-metrics.ts';
import { certificateMetrics } from './certificate-metrics.ts';
import { conditionMetrics } from './condition-metrics.ts';
import { copyMetrics } from './copy-metrics.ts';
import { meter, type Pass } from './meter.ts';
import { passMetrics } from './pass-metrics.ts';
import { type ProcessFacts, processMetrics } from './process-metrics.ts';
import { registryMetrics } from './registry-metrics.ts';

/** The metrics of one process, in a separate registry. */
export interface Metrics {
  observe(pass: Pass): void;
  /** Returns all metrics in the text format of Prometheus. Reads the metrics of the process at the time of the call. */
  text(): Promise<string>;
  readonly contentType: string;
}

/**
 * Makes the metrics of this process from `facts` and from the reports of passes. Labels are names from the vocabulary,
 * the settings and releases, never messages, which may quote other programs.
 */
export function createMetrics(facts: ProcessFacts): Metrics {
  const registry = new Registry();
  const subjects = [
    conditionMetrics,
    passMetrics,
    registryMetrics,
    certificateMetrics,
    copyMetrics,
    backupMetrics,
    processMetrics(facts),
  ];
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
