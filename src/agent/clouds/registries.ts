/** What is peculiar to the registries of clouds. Any node may meet any of them, whatever cloud it runs in. */
import type { RegistryManners } from './driver.ts';
import { type Clouds, clouds } from './index.ts';

/** Whether a registry's words say that its firewall refuses, and not that a permission is wanting. */
export function isFirewallRefusal(said: string, table: Clouds = clouds): boolean {
  return manners(table).some(({ isFirewall }) => isFirewall?.(said));
}

/** Whether a host is the registry of this login server itself, which may be shown its credential. */
export function isSameRegistry(host: string, loginServer: string, table: Clouds = clouds): boolean {
  return host === loginServer || manners(table).some(({ isSame }) => isSame?.(host, loginServer));
}

function manners(table: Clouds): readonly RegistryManners[] {
  return Object.values(table).flatMap(({ registries }) => registries ?? []);
}
