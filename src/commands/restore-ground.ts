/** What `slipway restore` knows about this machine, its store and the other servers. */
import type { Host } from '../agent/engine/host.ts';
import { machineFacts } from '../agent/host/machine-facts.ts';
import { type OtherServers, otherServersOf } from '../agent/parts/k3s/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { knownSettings, type NamedStore, storeIn } from './backup-store.ts';
import type { CommonOptions } from './cli-common.ts';
import { compose } from './compose.ts';

export interface RestoreGround {
  readonly host: Host;
  readonly paths: NodePaths;
  /** The store that the settings name; `undefined` if they name none. */
  readonly store: NamedStore | undefined;
  readonly servers: OtherServers;
}

/**
 * Reads the settings, with the tags if the cloud answers, and what they name. Throws the error of the settings if they
 * cannot be used.
 */
export async function restoreGround(options: CommonOptions): Promise<RestoreGround> {
  const { host, paths, gather, connect } = await compose(options);
  const knowledge = await gather();
  const settings = knownSettings(knowledge);
  const { hostname, addresses } = machineFacts();
  const { name, address } = knowledge.node.value ?? {};
  const own = [hostname, ...addresses, name, address].filter((each) => each !== undefined);
  const servers = await otherServersOf(host, paths, settings, own);
  return { host, paths, store: storeIn(settings, connect), servers };
}
