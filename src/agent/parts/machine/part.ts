import type { Part } from '../part.ts';
import { machineReasons } from './reasons.ts';

export const machinePart: Part = {
  name: 'machine',
  conditions: ['Preflight', 'System'],
  reasons: machineReasons,
  consents: [],
  startInputs: [],
  probes: ['kernel modules', 'cgroups', 'swap', 'memory', 'mounts', 'disk', 'host firewall'],
  owns: ({ system }) => [system.modules, system.sysctl],
  reads: () => [],
};
