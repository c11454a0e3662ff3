/**
 * What a server with etcd does before etcd runs: it gets the files that all servers of a cluster share.
 *
 * Models pkg/cluster/bootstrap.go: the bootstrap data comes from the peer in `server`, otherwise from a copy of the own
 * database, which needs no quorum. A removed member has a tombstone, and forgets its database (pkg/etcd/etcd.go).
 */
import { cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type BootstrapData, loadRow, reconcile } from './k3s-bootstrap-data.ts';
import { memberName } from './k3s-etcd-join.ts';
import { etcdUrls, startEtcd, stopEtcd } from './k3s-etcd-process.ts';
import { compareConfig, fetchBootstrap, type Remote, validated } from './k3s-join.ts';
import { fatal, log } from './k3s-log.ts';
import type { StartingServer } from './k3s-shared.ts';

const failed = 'Error: preparing server: failed to bootstrap cluster data';
/** K3s prints the name of this folder as a variable. */
const database = '$' + '{datadir}/server/db';

/** Moves the database of a removed member aside, so that it joins again; keeps the five newest. */
export function forgetRemoved(folder: string, url: string): void {
  if (!existsSync(join(folder, 'tombstone'))) {
    return;
  }
  if (url === '') {
    fatal(
      `${failed}: tombstone file has been detected but --server is empty: backup and delete ${database} to create a new cluster, or set --server to rejoin the cluster`,
    );
  }
  log('info', `tombstone file has been detected, removing ${database} to rejoin the cluster`);
  const parent = join(folder, '..');
  const old = readdirSync(parent).filter((name) => name.startsWith('etcd-backup-'));
  for (const name of old.sort().slice(0, -4)) {
    rmSync(join(parent, name), { recursive: true });
  }
  renameSync(folder, join(parent, `etcd-backup-${Math.floor(Date.now() / 1000)}`));
}

/** Prepares a member that the disk already has. Resolves to the peer that it knows, if the peer answers. */
export async function reconciledMember(
  server: StartingServer,
  url: string,
  password: string,
): Promise<Remote | undefined> {
  log('info', 'Managed etcd cluster bootstrap already complete and initialized');
  if (url !== '' && server.token !== undefined) {
    const remote = await validated(url, server.token).catch(() => undefined);
    const data = remote && (await fetchBootstrap(remote).catch((error: Error) => error));
    if (data instanceof Error) {
      log('warning', `Unable to reconcile with remote datastore: ${data.message}`);
    } else if (data !== undefined) {
      refuseNewer(server, reconcile(server.files, data));
      log('info', 'Successfully reconciled with remote datastore');
      return remote;
    }
  }
  log('info', 'Reconciling bootstrap data between datastore and disk');
  const local = `${failed}: failed to reconcile with local datastore`;
  const data = await copiedRow(server, password).catch((error) => fatal(`${local}: ${error.message}`));
  if (data === undefined) {
    fatal(
      `${local}: no bootstrap data found in datastore - check server token value and verify datastore integrity`,
    );
  }
  refuseNewer(server, reconcile(server.files, data));
  log('info', 'Successfully reconciled with local datastore');
  return undefined;
}

/** Reads the bootstrap data from a copy of the own database, which needs no quorum. */
async function copiedRow(
  { directory, node }: StartingServer,
  password: string,
): Promise<BootstrapData | undefined> {
  const copy = join(directory, 'db/etcd-tmp');
  rmSync(copy, { recursive: true, force: true });
  cpSync(join(directory, 'db/etcd'), copy, { recursive: true });
  rmSync(join(copy, 'config'), { force: true });
  const name = memberName(copy, node.nodeName);
  const urls = await etcdUrls(copy, { root: join(node.root, 'temporary'), nodeIp: '127.0.0.1' });
  const etcd = await startEtcd({ directory: copy, name, urls }, { state: 'again' }, true);
  try {
    await etcd.revision();
    return await loadRow(etcd, password);
  } finally {
    await stopEtcd();
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Prepares a member that founds a cluster, or joins the one of the server at `url`, to which it resolves. */
export async function preparedMember(
  { options, token, files, agentPassword }: StartingServer,
  url: string,
  password: string,
): Promise<Remote | undefined> {
  if (url === '') {
    log('info', 'Managed etcd cluster initializing');
    return undefined;
  }
  const checking = `${failed}: failed to check if bootstrap data has been initialized`;
  if (token === undefined) {
    fatal(`${checking}: token is required to join a cluster`);
  }
  const remote = await validated(url, token).catch((error) =>
    fatal(`${checking}: failed to validate token: ${error.message}`),
  );
  log('info', 'Managed etcd cluster not yet initialized');
  try {
    await compareConfig(options, remote, agentPassword ?? password);
    refuseNewer({ files }, reconcile(files, await fetchBootstrap(remote)));
    return remote;
  } catch (error) {
    return fatal(`${failed}: ${error instanceof Error ? error.message : error}`);
  }
}

function refuseNewer(
  { directory = '' }: { directory?: string; files: unknown },
  newer: readonly string[],
): void {
  if (newer.length > 0) {
    const paths = newer.map((path) => join(directory, path)).join(', ');
    fatal(
      `${paths} newer than datastore and could cause a cluster outage. Remove the file(s) from disk and restart to be recreated from datastore.`,
    );
  }
}
