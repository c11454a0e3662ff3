/** The settings that a process keeps for life. */
import { cloudSections } from '../agent/clouds/chosen.ts';
import { type Clouds, clouds } from '../agent/clouds/index.ts';
import type { Settings } from '../agent/settings/schema.ts';

/** Returns a key for those settings that a process keeps for life: if the key changes, a new process is needed. */
export function connectionKey(settings: Settings, table: Clouds = clouds): string {
  const { cloud, network, consent } = settings;
  return JSON.stringify({
    cloud,
    ...cloudSections(settings, table),
    network,
    hosts: consent.identityHosts,
  });
}

/**
 * Returns `connect`, which makes a thing from the first settings and keeps it, and `isOutdated`, which is true for
 * settings whose `connectionKey` differs from that of the first settings.
 */
export function once<Thing>(make: (settings: Settings) => Thing) {
  let first: { readonly key: string; readonly thing: Thing } | undefined;
  const known = (settings: Settings) => {
    first ??= { key: connectionKey(settings), thing: make(settings) };
    return first;
  };
  return {
    connect: (settings: Settings): Thing => known(settings).thing,
    isOutdated: (settings: Settings): boolean => known(settings).key !== connectionKey(settings),
  };
}
