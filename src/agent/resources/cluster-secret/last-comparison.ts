import type { Vault } from '../../clouds/cloud.ts';
import type { HostReader } from '../../engine/host.ts';

/** When this process last compared each Secret with the vault, by the monotonic clock. */
const compared = new WeakMap<Vault, Map<string, number>>();

/**
 * Returns the time in milliseconds until a Secret's next comparison with the vault, which is due `every` milliseconds
 * after the last one; zero or less if it is due. The first call for a Secret in a process counts as a comparison, so a
 * dry run never queries the vault.
 */
export function untilComparison(host: HostReader, vault: Vault, secret: string, every: number): number {
  const last = compared.get(vault)?.get(secret) ?? noteComparison(host, vault, secret);
  return last + every - host.monotonic();
}

/** Records that a Secret was compared with the vault just now, and returns the time by the monotonic clock. */
export function noteComparison(host: HostReader, vault: Vault, secret: string): number {
  const times = compared.get(vault) ?? new Map<string, number>();
  const now = host.monotonic();
  compared.set(vault, times.set(secret, now));
  return now;
}
