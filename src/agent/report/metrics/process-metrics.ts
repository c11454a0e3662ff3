import type { Meter, Pass } from './meter.ts';

/** The facts about this process. */
export interface ProcessFacts {
  readonly version: string;
  /** The version of Node, such as v24.21.0. */
  readonly runtime: string;
  /** When the process started, in epoch milliseconds. */
  readonly startedAt: number;
  readonly usage: () => ProcessUsage;
}

export interface ProcessUsage {
  readonly residentBytes: number;
  /** The CPU time in user and system mode since the process started. */
  readonly cpuSeconds: number;
}

/**
 * Registers metrics for the version of Slipway, for its node, and for the start, memory and CPU time of the process.
 * The names begin with `slipway_`, since a textfile is read together with node_exporter's own `process_...` metrics.
 */
export function processMetrics({ version, runtime, startedAt, usage }: ProcessFacts) {
  return ({ gauge, liveGauge, liveCounter }: Meter): ((pass: Pass) => void) => {
    const build = gauge('build_info', 'The version of Slipway and of Node.js; always 1.', [
      'version',
      'node',
    ]);
    build.set({ version, node: runtime }, 1);
    const node = gauge(
      'node_info',
      'Name, role and K3s release of this node, once they are known; always 1.',
      ['name', 'role', 'k3s'],
    );
    gauge('process_start_time_seconds', 'When the daemon started.').set(startedAt / 1_000);
    liveGauge('process_resident_memory_bytes', 'Memory of the daemon.', () => usage().residentBytes);
    liveCounter('process_cpu_seconds_total', 'CPU time of the daemon.', () => usage().cpuSeconds);
    return ({ report: { knowledge } }) => {
      node.reset();
      const { value } = knowledge.node;
      if (value) {
        node.set({ name: value.name, role: value.role.name, k3s: value.version }, 1);
      }
    };
  };
}
