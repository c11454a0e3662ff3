import type { Part } from '../part.ts';
import { workloadReasons } from './reasons.ts';
import { workloads } from './settings.ts';

export const workloadsPart: Part = {
  name: 'workloads',
  settings: { workloads },
  conditions: ['Secrets'],
  reasons: workloadReasons,
  consents: ['secretRemoval'],
  startInputs: [],
  probes: () => [],
  owns: () => [],
  reads: () => [],
};
