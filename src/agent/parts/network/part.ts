import type { Part } from '../part.ts';
import { guardUnitPath } from './guard-unit.ts';
import { networkReasons } from './reasons.ts';
import { imds } from './settings.ts';

export const networkPart: Part = {
  name: 'network',
  settings: { imds },
  conditions: ['ImdsGuard'],
  reasons: networkReasons,
  consents: [],
  startInputs: [],
  probes: () => [],
  owns: (paths) => [paths.slipway.imdsGuard, guardUnitPath(paths)],
  reads: () => [],
};
