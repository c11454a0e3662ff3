/**
 * The datastores that several servers share: the embedded etcd, or an external database.
 *
 * Models pkg/cluster/managed.go (assignManagedDriver): an etcd on the disk counts before all flags, then
 * `datastore-endpoint`, then `cluster-init`, or `server` with a token. Otherwise the server has SQLite of its own.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentSettings } from './k3s-agent.ts';
import type { RotationStep, ServerFiles } from './k3s-bootstrap.ts';
import { prepareEtcd } from './k3s-etcd-server.ts';
import { prepareExternal } from './k3s-external.ts';
import type { K3sOptions } from './k3s-flags.ts';
import { fatal } from './k3s-log.ts';
import type { Replica } from './k3s-replica.ts';
import type { Reply } from './k3s-reply.ts';

/** What a server knows before it opens its datastore. The passwords are those of the given tokens. */
export interface StartingServer {
  readonly options: K3sOptions;
  readonly node: AgentSettings;
  /** The folder DD/server. */
  readonly directory: string;
  readonly files: ServerFiles;
  readonly token: string | undefined;
  readonly agentPassword: string | undefined;
}

/** A request to a datastore of its own paths, such as /db/info. */
export interface DatabaseRequest {
  readonly method: string;
  readonly pathname: string;
  readonly body: string;
  readonly isLoopback: boolean;
  /** True if the request has the credentials of a server. */
  readonly isServer: boolean;
}

export interface SharedDatastore {
  /** The password of the servers. */
  readonly password: string;
  /** Opens the objects; for etcd, founds or joins the cluster first. Resolves when this server is a full member. */
  open(): Promise<Replica>;
  /** Starts the controllers of the cluster that belong to the datastore. */
  runControllers(objects: Replica): void;
  /** True if this server runs the controllers of the cluster. */
  leads(): boolean;
  /** Replaces the server token; resolves to the status of the request. */
  rotate(password: string, after: (step: RotationStep) => void): Promise<number>;
  /** Answers a request; `undefined` if the datastore does not have the path. */
  answer(request: DatabaseRequest): Promise<Reply | undefined>;
  /** The URL of this server's etcd, at which the stand-in for flux finds the objects; `undefined` for a database. */
  readonly etcdUrl: string | undefined;
  /** Labels and annotations of the Node of a server. */
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly nodeAnnotations: Readonly<Record<string, string>>;
}

/** Prepares the shared datastore of a server; `undefined` for a server with SQLite. Exits with K3s's error. */
export async function prepareShared(server: StartingServer): Promise<SharedDatastore | undefined> {
  const { options, directory, token } = server;
  const isJoining = token !== undefined && (options.text('server') ?? '') !== '';
  const endpoint = options.text('datastore-endpoint') ?? '';
  const etcd = join(directory, 'db/etcd');
  const isReset = options.yes('cluster-reset');
  if (existsSync(join(etcd, 'member/wal')) || existsSync(join(etcd, 'tombstone'))) {
    return prepareEtcd(server);
  }
  if (endpoint !== '') {
    return prepareExternal(server, endpoint);
  }
  if (options.yes('cluster-init') || isJoining || options.text('cluster-reset-restore-path')) {
    return prepareEtcd(server);
  }
  return isReset
    ? fatal('Error: starting kubernetes: cluster-reset is not modelled without etcd')
    : undefined;
}
