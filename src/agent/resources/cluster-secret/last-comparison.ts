import type { Cloud } from '../../clouds/cloud.ts';
import type { HostReader } from '../../engine/host.ts';

/** When this process last compared each Secret with the vault, on the clock that is never set. */
const compared = new WeakMap<Cloud, Map<string, number>>();

/**
 * True if the last comparison of a Secret with the vault is older than `every` milliseconds. The first look of a
 * process counts as a comparison, so a dry run never queries the vault.
 */
export function isComparisonDue(host: HostReader, cloud: Cloud, secret: string, every: number): boolean {
  const last = compared.get(cloud)?.get(secret);
  if (last === undefined) {
    noteComparison(host, cloud, secret);
    return false;
  }
  return host.monotonic() >= last + every;
}

/** Notes that a Secret was compared with the vault just now. */
export function noteComparison(host: HostReader, cloud: Cloud, secret: string): void {
  const times = compared.get(cloud) ?? new Map<string, number>();
  compared.set(cloud, times);
  times.set(secret, host.monotonic());
}
