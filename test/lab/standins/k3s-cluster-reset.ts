/**
 * `k3s server --cluster-reset`, with or without a snapshot to restore.
 *
 * Models pkg/cli/server/server.go (refusals before anything changes), pkg/cluster/managed.go (reset-flag),
 * pkg/etcd/etcd.go (Reset and Restore: files that are moved aside, a new member name, a cluster of one) and
 * pkg/cluster/bootstrap.go (the certificates follow the restored database). K3s ends with an error line and exit status
 * 0. etcdctl restores the real snapshot.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadRow, reconcile } from './k3s-bootstrap-data.ts';
import type { Etcd } from './k3s-etcd-client.ts';
import { memberName } from './k3s-etcd-join.ts';
import { type EtcdPlace, etcdUrls, startEtcd, stopEtcd } from './k3s-etcd-process.ts';
import { fatal, log } from './k3s-log.ts';
import { passwordOf } from './k3s-server-token.ts';
import type { StartingServer } from './k3s-shared.ts';

const managed = 'Error: starting kubernetes: failed to start cluster: start managed database';

/** Makes this server the only member of its cluster, then ends the process. */
export async function resetCluster(server: StartingServer): Promise<never> {
  const { directory, options, node } = server;
  const snapshot = options.text('cluster-reset-restore-path') ?? '';
  const flag = join(directory, 'db/reset-flag');
  refuse(server, snapshot, flag);
  const folder = join(directory, 'db/etcd');
  const urls = await etcdUrls(folder, node);
  if (snapshot !== '') {
    moveAside(folder);
  }
  rmSync(join(folder, 'name'), { force: true });
  const place = { directory: folder, name: memberName(folder, node.nodeName), urls };
  if (snapshot !== '') {
    restore(place, snapshot);
  }
  writeFileSync(flag, '', { mode: 0o600 });
  const etcd = await startEtcd(place, { state: 'new' }, true);
  await untilAlone(etcd, place);
  await restoreFiles(server, etcd);
  await stopEtcd();
  log(
    'error',
    `Shutdown request received: "Managed etcd cluster membership has been reset, restart without --cluster-reset flag now. Backup and delete ${'$'}{datadir}/server/db on each peer etcd server and rejoin the nodes"`,
  );
  process.exit(0);
}

function refuse({ options, directory, token }: StartingServer, snapshot: string, flag: string): void {
  if ((options.text('server') ?? '') !== '') {
    fatal(
      'Error: cannot perform cluster-reset while server URL is set - remove server from configuration before resetting',
    );
  }
  const kept = join(directory, 'token');
  if (snapshot !== '' && token === undefined && !existsSync(kept)) {
    fatal(`Error: ${kept} does not exist, please pass --token to complete the restoration`);
  }
  if (snapshot === '' && existsSync(flag)) {
    fatal(
      `${managed}: Managed etcd cluster membership was previously reset, please remove the cluster-reset flag and start k3s normally. If you need to perform another cluster reset, you must first manually delete the file at ${flag}`,
    );
  }
  const found = snapshot === '' ? undefined : statSync(snapshot, { throwIfNoEntry: false });
  if (snapshot !== '' && found === undefined) {
    fatal(`${managed}: etcd: snapshot path does not exist: ${snapshot}`);
  }
  if (found?.isDirectory()) {
    fatal(`${managed}: etcd: snapshot path must be a file, not a directory: ${snapshot}`);
  }
}

function moveAside(folder: string): void {
  if (existsSync(folder)) {
    const old = `${folder}-old-${seconds()}`;
    renameSync(folder, old);
    log('info', `Pre-restore etcd database moved to ${old}`);
  }
}

/** Restores a snapshot into the folder of the member, which etcdctl must create. */
function restore({ directory, name, urls }: EtcdPlace, snapshot: string): void {
  rmSync(directory, { recursive: true, force: true });
  const args = ['snapshot', 'restore', snapshot, '--name', name, '--data-dir', directory];
  const peers = ['--initial-cluster', `${name}=${urls.peer}`, '--initial-advertise-peer-urls', urls.peer];
  try {
    execFileSync('etcdctl', [...args, ...peers], {
      env: { ...process.env, ETCDCTL_API: '3' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    fatal(`${managed}: ${String(Object(error).stderr).trim().split('\n').at(-1)}`);
  }
  writeFileSync(join(directory, 'name'), name, { mode: 0o600 });
}

async function untilAlone(etcd: Etcd, { name, urls }: EtcdPlace): Promise<void> {
  for (;;) {
    try {
      await etcd.revision();
      const [only, ...others] = await etcd.members();
      if (only?.name === name && others.length === 0) {
        return only.peerURLs.includes(urls.peer) ? undefined : await etcd.setPeerUrl(only.ID, urls.peer);
      }
    } catch (error) {
      log('info', `Failed to test etcd connection: ${error instanceof Error ? error.message : error}`);
    }
    await sleep(250);
  }
}

/** Writes the certificates and passwords of the database; keeps a copy of the old certificates. */
async function restoreFiles(server: StartingServer, etcd: Etcd): Promise<void> {
  const { directory, files } = server;
  const data = await loadRow(etcd, passwordOf(server)).catch((error) => fatal(error.message));
  const tls = join(directory, 'tls');
  if (existsSync(tls)) {
    const copy = `${tls}-${seconds()}`;
    log('info', `Cluster reset: backing up certificates directory to ${copy}`);
    cpSync(tls, copy, { recursive: true });
  }
  if (data !== undefined) {
    reconcile(files, data, true);
  }
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
