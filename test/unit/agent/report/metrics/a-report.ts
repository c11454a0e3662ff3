import type { Report } from '../../../../../src/agent/agent.ts';
import type { Condition } from '../../../../../src/agent/engine/conditions.ts';
import { type ConditionType, inSync, type Outcome } from '../../../../../src/agent/engine/resource.ts';
import { createMetrics, type Metrics } from '../../../../../src/agent/report/metrics/metrics.ts';
import type { ProcessFacts } from '../../../../../src/agent/report/metrics/process-metrics.ts';
import { aNode, type NodeChanges } from '../../a-node.ts';

type Part = Partial<Omit<Report, 'knowledge'>>;

/** Returns the report of a pass on a known server. */
export function aReport(part: Part = {}, node: NodeChanges | undefined = {}): Report {
  return {
    knowledge: { files: {}, identity: {}, tagged: {}, role: {}, node: { value: aNode('server', node) } },
    outcomes: [],
    conditions: [],
    credentials: [],
    certificates: [],
    wake: { at: 300_000, because: 'look for drift' },
    ...part,
  };
}

/** Returns the outcome of a resource with this id. */
export function outcome(id: string, state: 'InSync' | 'Changed'): Outcome;
export function outcome(id: string, state: 'Waiting' | 'Failed', lookAgainAt: number): Outcome;
export function outcome(id: string, state: string, lookAgainAt = 0): Outcome {
  const condition: ConditionType = id.startsWith('Credential/') ? 'Registries' : 'System';
  const resource = { id, condition, summary: '', check: async () => inSync() };
  if (state === 'InSync') {
    return { resource, state };
  }
  if (state === 'Changed') {
    return { resource, state, did: `did ${id}`, changes: [] };
  }
  const failed = state === 'Failed' ? 'Failed' : 'Waiting';
  return { resource, state: failed, reason: 'Unreachable', message: 'no', lookAgainAt, blocks: true };
}

export function condition(type: Condition['type'], rest: Partial<Condition> = {}): Condition {
  const lastTransitionTime = '1970-01-01T00:01:00.000Z';
  return { type, status: 'True', reason: 'InSync', message: '', lastTransitionTime, ...rest };
}

export function someMetrics(facts: Partial<ProcessFacts> = {}): Metrics {
  const usage = () => ({ residentBytes: 1024, cpuSeconds: 1.5 });
  return createMetrics({ version: '1.2.3', runtime: 'v24.0.0', startedAt: 5_000, usage, ...facts });
}

/** Returns the samples of these metrics, without the prefix `slipway_`. */
export async function samples(metrics: Metrics, ...names: readonly string[]): Promise<readonly string[]> {
  const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines
    .map((line) => line.replace(/^slipway_/, ''))
    .filter((line) => names.includes(line.split(/[{ ]/, 1)[0] ?? ''));
}

export const aBackup = {
  to: '/mnt/backup',
  due: 9_000,
  proven: { id: '20261130T120000Z-vm-1', madeAt: 1_000, bytes: 4_096, stored: 1_024 },
};

/** Returns the metrics as text, after a pass that gives every metric a sample. */
export async function wholeText(): Promise<string> {
  const metrics = someMetrics();
  const report = aReport(
    {
      conditions: [condition('Ready')],
      outcomes: [outcome('Service/k3s', 'Changed'), outcome('File//a', 'Waiting', 0)],
      credentials: [{ server: 'a.io', receivedAt: 0, due: 1_000, ends: 2_000 }],
      certificates: [{ name: 'agent/client-kubelet.crt', kind: 'leaf', from: 0, ends: 2_000 }],
      copies: {
        datastore: 'sqlite',
        made: [{ madeAt: 1_000, bytes: 4_096, reason: 'upgrade v1.36.4+k3s1' }],
      },
      backup: aBackup,
    },
    { settings: { registries: { servers: ['a.io'] } } },
  );
  metrics.observe({ report, from: 0, to: 1_000 });
  return metrics.text();
}
