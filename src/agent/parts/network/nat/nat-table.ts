import type { OwnTable } from '../own-table.ts';

/** The table that masquerades the private hosts behind this one. */
export const natTable = {
  id: 'Nat',
  condition: 'Nat',
  reason: 'NatFailed',
  name: ['ip', 'slipway_nat'],
  unit: 'slipway-nat.service',
  purpose: 'let private hosts out through this one',
  otherwise: 'the private hosts behind this one do not reach the outside',
  instead: 'give these hosts another way out, and take network.nat out of the settings',
} as const satisfies OwnTable;
