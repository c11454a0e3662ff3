import type { Part } from '../part.ts';
import { workloadReasons } from './reasons.ts';
import { workloads } from './settings.ts';

export const workloadsPart: Part = {
  name: 'workloads',
  settings: { workloads },
  conditions: ['Secrets', 'Charts'],
  reasons: workloadReasons,
  consents: ['secretRemoval', 'chartRemoval'],
  startInputs: [],
  probes: () => [],
  owns: () => [],
  reads: () => [],
};
