import type { Part } from '../part.ts';
import { firewallProbe } from './firewall.ts';
import { machineProbes } from './probes.ts';
import { machineReasons } from './reasons.ts';

export const machinePart: Part = {
  name: 'machine',
  conditions: ['Preflight', 'System'],
  reasons: machineReasons,
  consents: [],
  startInputs: [],
  probes: ({ machine, node, ...rest }) => [
    ...machineProbes({ host: machine, node, ...rest }),
    firewallProbe(machine, node),
  ],
  owns: ({ system }) => [system.modules, system.sysctl],
  reads: () => [],
};
