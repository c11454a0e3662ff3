import { parseVersion } from '../upgrade/version.ts';
import type { Certificate } from './certificate-files.ts';

export const day = 86_400_000;

/** When a leaf certificate is due for renewal, and when each kind of delay stops applying; in epoch milliseconds. */
export interface RenewalTimes {
  /** From then on, a restart of K3s renews the certificate. */
  readonly due: number;
  /** From then on, maintenance windows no longer delay the restart. */
  readonly outsideWindows: number;
  /** From then on, neither a drain nor the health of other nodes delays the restart. */
  readonly urgent: number;
}

/**
 * Returns the times of a leaf certificate. It is due when a third of its life is left, but not before K3s would renew
 * it, `window` milliseconds before its end. Maintenance windows delay the restart until 30 days before the end, and the
 * drain until 7 days before it; for short lives, until half and until an eighth of the time from the due time to the
 * end is left.
 */
export function renewalTimes(
  { issued, ends }: Pick<Certificate, 'issued' | 'ends'>,
  window: number,
): RenewalTimes {
  const left = Math.min(window, (ends - issued) / 3);
  const before = (time: number) => Math.ceil(ends - time);
  return {
    due: before(left),
    outsideWindows: before(Math.min(30 * day, left / 2)),
    urgent: before(Math.min(7 * day, left / 8)),
  };
}

/**
 * Returns how long before the end of a server's leaf certificate a start of this K3s release renews it, in milliseconds
 * (CertificateRenewDays, pkg/daemons/config): 120 days, or 90 days for releases older than those of May 2025.
 */
export function renewalWindow(release: string): number {
  const version = parseVersion(release);
  const first = version && firstWith120[version.minor];
  const isOld = version !== undefined && (first === undefined ? version.minor < 30 : version.patch < first);
  return (isOld ? 90 : 120) * day;
}

/** The first patch release of each minor release that renews 120 days before the end. */
const firstWith120: Readonly<Record<number, number>> = { 30: 13, 31: 9, 32: 5, 33: 1 };

/**
 * Returns when the end of a CA certificate is reported, in epoch milliseconds: when a tenth of its life is left, but at
 * least 30 and at most 365 days before its end. K3s gives its CAs ten years, and warns in the last year.
 */
export function caReportedFrom({ from, ends }: Pick<Certificate, 'from' | 'ends'>): number {
  return ends - Math.min(Math.max((ends - from) / 10, 30 * day), 365 * day);
}
