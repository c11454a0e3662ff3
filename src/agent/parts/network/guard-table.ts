import type { OwnTable } from './own-table.ts';

/** The nftables table that blocks pods' access to the metadata service. */
export const guardTable = {
  id: 'ImdsGuard',
  condition: 'ImdsGuard',
  reason: 'ImdsGuardFailed',
  name: ['inet', 'slipway_imds'],
  unit: 'slipway-imds-guard.service',
  purpose: 'keep pods from the metadata service',
  otherwise: 'pods can ask the metadata service for the identity of this VM',
  instead: 'set imds.pods to allow',
} as const satisfies OwnTable;
