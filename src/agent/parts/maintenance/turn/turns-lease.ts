import { type LeaseKind, leasePath } from '../../../kubernetes/lease.ts';

/** The Lease whose holder grants turns, and whose annotations are the ledger and the orders. */
export const turnsLease: LeaseKind = { name: 'slipway-turns', duration: 30, renewAfter: 10_000 };

/** The path of the Lease of the turns in the Kubernetes API. */
export const turnsLeasePath = leasePath(turnsLease);
