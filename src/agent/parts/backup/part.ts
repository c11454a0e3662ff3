import type { Part } from '../part.ts';
import { backupProbes } from './probes.ts';
import { backupReasons } from './reasons.ts';
import { backup } from './settings.ts';

export const backupPart: Part = {
  name: 'backup',
  settings: { backup },
  conditions: ['Backup'],
  reasons: backupReasons,
  consents: [],
  startInputs: [],
  probes: ({ machine, node }) => backupProbes(machine, node),
  owns: ({ slipway }) => [
    slipway.backups,
    slipway.backupWork,
    slipway.outgoing,
    slipway.fetched,
    slipway.backupRequest,
  ],
  reads: () => [],
};
