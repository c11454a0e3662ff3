/** How the registries of each cloud differ: a node in any cloud may use any of them. */
import type { RegistryManners } from './driver.ts';
import { type Clouds, clouds } from './index.ts';

/** True if a registry's words say that its firewall refuses, rather than that a permission is missing. */
export function isFirewallRefusal(said: string, table: Clouds = clouds): boolean {
  return manners(table).some(({ isFirewall }) => isFirewall?.(said));
}

/** True if a host is the registry of this login server itself, which may be shown its credential. */
export function isSameRegistry(host: string, loginServer: string, table: Clouds = clouds): boolean {
  return host === loginServer || manners(table).some(({ isSame }) => isSame?.(host, loginServer));
}

function manners(table: Clouds): readonly RegistryManners[] {
  return Object.values(table).flatMap(({ registries }) => registries ?? []);
}
