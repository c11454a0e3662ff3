import type { Part } from '../part.ts';
import { eventProbes } from './events/probes.ts';
import { maintenanceReasons } from './reasons.ts';
import { maintenance } from './settings.ts';

export const maintenancePart: Part = {
  name: 'maintenance',
  settings: { maintenance },
  conditions: ['Maintenance', 'Turns'],
  reasons: maintenanceReasons,
  consents: ['otherActors', 'rebuiltNodes'],
  startInputs: [],
  probes: ({ configured }) => (configured ? eventProbes(configured) : []),
  owns: ({ slipway }) => [slipway.hold, slipway.turn, slipway.drain, slipway.reboot],
  reads: ({ system }) => [
    ...[system.aptConfig, system.rebootRequired, system.rebootPackages, system.rebootNeeded],
  ],
};
