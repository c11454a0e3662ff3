import type { Part } from '../part.ts';
import { machineProbes } from './probes.ts';
import { machineReasons } from './reasons.ts';

export const machinePart: Part = {
  name: 'machine',
  settings: {},
  conditions: ['Preflight', 'System'],
  reasons: machineReasons,
  consents: [],
  startInputs: [],
  probes: ({ machine, ...rest }) => machineProbes({ host: machine, ...rest }),
  owns: ({ system }) => [system.modules, system.sysctl],
  reads: () => [],
};
