import type { Vault } from '../../clouds/cloud.ts';
import type { HostReader } from '../../engine/host.ts';

/** When this process last compared each Secret with the vault, on the clock that is never set. */
const compared = new WeakMap<Vault, Map<string, number>>();

/**
 * Returns the milliseconds until a Secret is to be compared with the vault, `every` milliseconds after the last
 * comparison; zero or less if the comparison is due. The first look of a process counts as a comparison, so a dry run
 * never queries the vault.
 */
export function untilComparison(host: HostReader, vault: Vault, secret: string, every: number): number {
  const last = compared.get(vault)?.get(secret) ?? noteComparison(host, vault, secret);
  return last + every - host.monotonic();
}

/** Notes that a Secret was compared with the vault just now; returns this time. */
export function noteComparison(host: HostReader, vault: Vault, secret: string): number {
  const times = compared.get(vault) ?? new Map<string, number>();
  const now = host.monotonic();
  compared.set(vault, times.set(secret, now));
  return now;
}
