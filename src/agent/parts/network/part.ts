import type { Part } from '../part.ts';
import { guardUnitPath } from './guard-unit.ts';
import { natFiles, natUnitPath } from './nat/nat-files.ts';
import { networkReasons } from './reasons.ts';
import { imds } from './settings.ts';

export const networkPart: Part = {
  name: 'network',
  settings: { imds },
  conditions: ['Nat', 'System', 'ImdsGuard'],
  reasons: networkReasons,
  consents: ['natRemoval'],
  startInputs: [],
  probes: () => [],
  owns: (paths) => [paths.slipway.imdsGuard, guardUnitPath(paths), ...natFiles(paths), natUnitPath(paths)],
  reads: () => [],
};
