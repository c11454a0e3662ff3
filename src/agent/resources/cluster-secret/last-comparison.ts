import type { Vault } from '../../clouds/cloud.ts';
import type { HostReader } from '../../engine/host.ts';

/** When this process last compared each Secret with the vault, on the clock that is never set. */
const compared = new WeakMap<Vault, Map<string, number>>();

/**
 * True if the last comparison of a Secret with the vault is older than `every` milliseconds. The first look of a
 * process counts as a comparison, so a dry run never queries the vault.
 */
export function isComparisonDue(host: HostReader, vault: Vault, secret: string, every: number): boolean {
  const last = compared.get(vault)?.get(secret);
  if (last === undefined) {
    noteComparison(host, vault, secret);
    return false;
  }
  return host.monotonic() >= last + every;
}

/** Notes that a Secret was compared with the vault just now. */
export function noteComparison(host: HostReader, vault: Vault, secret: string): void {
  const times = compared.get(vault) ?? new Map<string, number>();
  compared.set(vault, times);
  times.set(secret, host.monotonic());
}
