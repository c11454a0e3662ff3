import type { Part } from '../part.ts';
import { networkReasons } from './reasons.ts';
import { guardUnitPath } from './unit.ts';

export const networkPart: Part = {
  name: 'network',
  conditions: ['ImdsGuard'],
  reasons: networkReasons,
  consents: [],
  startInputs: [],
  probes: () => [],
  owns: (paths) => [paths.slipway.imdsGuard, guardUnitPath(paths)],
  reads: () => [],
};
