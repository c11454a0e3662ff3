import type { Part } from '../part.ts';
import { chartProbes } from './probes.ts';
import { workloadReasons } from './reasons.ts';
import { workloads } from './settings.ts';

export const workloadsPart: Part = {
  name: 'workloads',
  settings: { workloads },
  conditions: ['Secrets', 'Charts'],
  reasons: workloadReasons,
  consents: ['secretRemoval', 'chartRemoval'],
  startInputs: [],
  probes: ({ configured, node }) => (configured ? chartProbes(configured.host, node) : []),
  owns: () => [],
  reads: () => [],
};
