/** Checks against the registries of every cloud, because a node in any cloud may use any registry. */
import type { RegistryManners } from './driver.ts';
import { type Clouds, clouds } from './index.ts';

/** True if a registry's message shows that its firewall refused the request, not that a permission is missing. */
export function isFirewallRefusal(said: string, table: Clouds = clouds): boolean {
  return manners(table).some(({ isFirewall }) => isFirewall?.(said));
}

/** True if `host` is the registry of `loginServer`, so that it may see the registry's credential. */
export function isSameRegistry(host: string, loginServer: string, table: Clouds = clouds): boolean {
  return host === loginServer || manners(table).some(({ isSame }) => isSame?.(host, loginServer));
}

function manners(table: Clouds): readonly RegistryManners[] {
  return Object.values(table).flatMap(({ registries }) => registries ?? []);
}
