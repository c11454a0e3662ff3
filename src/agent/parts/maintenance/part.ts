import type { Part } from '../part.ts';
import { maintenance } from './settings.ts';

export const maintenancePart: Part = {
  name: 'maintenance',
  settings: { maintenance },
  conditions: [],
  reasons: {},
  consents: [],
  startInputs: [],
  probes: () => [],
  owns: () => [],
  reads: () => [],
};
