/** What `slipway restore` knows about this machine, its store and the other servers. */
import type { Host } from '../agent/engine/host.ts';
import { machineFacts } from '../agent/host/machine-facts.ts';
import { faultIn, type Knowledge } from '../agent/knowledge.ts';
import {
  type FreshServer,
  hasNoCluster,
  type OtherServers,
  otherServersOf,
} from '../agent/parts/k3s/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { perform, type Tell } from '../setup/perform.ts';
import { knownSettings, type NamedStore, storeIn } from './backup-store.ts';
import type { CommonOptions } from './cli-common.ts';
import { type Connection, compose } from './compose.ts';
import { freshServer } from './fresh-server.ts';

export interface RestoreGround {
  readonly host: Host;
  readonly paths: NodePaths;
  /** The store that the settings name; `undefined` if they name none. */
  readonly store: NamedStore | undefined;
  readonly servers: OtherServers;
  /** What a restore first installs on a machine without a cluster; `undefined` on any other machine. */
  readonly fresh: Preparation | undefined;
}

/** The server that the settings and tags want on a machine without a cluster. */
export interface Preparation extends FreshServer {
  /** Installs what K3s needs for its first start. Resolves to false if anything is left undone. */
  readonly prepare: (tell: Tell) => Promise<boolean>;
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
  const fresh = (await hasNoCluster(host, paths)) ? preparationOf(knowledge, connect(settings)) : undefined;
  return { host, paths, store: storeIn(settings, connect), servers, fresh };
}

/** Throws the error for which the node is unknown, since nothing can be installed then. */
function preparationOf(knowledge: Knowledge, { host, portsFor }: Connection): Preparation {
  const node = knowledge.node.value;
  const ports = portsFor(knowledge);
  if (node === undefined || ports === undefined) {
    throw faultIn(knowledge) ?? knowledge.identity.error;
  }
  const resources = freshServer(node, ports);
  return {
    datastore: node.settings.k3s.datastore,
    version: node.version,
    prepare: (tell) => perform(resources, host, tell),
  };
}
