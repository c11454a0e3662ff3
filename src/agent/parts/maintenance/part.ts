import type { Part } from '../part.ts';
import { maintenanceReasons } from './reasons.ts';
import { maintenance } from './settings.ts';

export const maintenancePart: Part = {
  name: 'maintenance',
  settings: { maintenance },
  conditions: ['Maintenance', 'Turns'],
  reasons: maintenanceReasons,
  consents: ['otherActors'],
  startInputs: [],
  probes: () => [],
  owns: ({ slipway }) => [slipway.hold, slipway.turn, slipway.drain],
  reads: ({ system }) => [system.aptConfig],
};
