/**
 * The embedded etcd of a server, from its configuration to a full member.
 *
 * Models pkg/cluster/managed.go and pkg/etcd/etcd.go (found, join, restart; the wait until this server votes). The
 * words are those of K3s 1.36.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readShared, rotateRow, saveRow } from './k3s-bootstrap-data.ts';
import { resetCluster } from './k3s-cluster-reset.ts';
import type { Etcd } from './k3s-etcd-client.ts';
import { dbInfo, joinCluster, memberName } from './k3s-etcd-join.ts';
import { runMemberControllers } from './k3s-etcd-members.ts';
import { migrateSqlite } from './k3s-etcd-migration.ts';
import { forgetRemoved, preparedMember, reconciledMember } from './k3s-etcd-prepare.ts';
import { type EtcdPlace, etcdUrls, startEtcd } from './k3s-etcd-process.ts';
import { answerSnapshots } from './k3s-etcd-snapshot.ts';
import type { Remote } from './k3s-join.ts';
import { log, shutDown } from './k3s-log.ts';
import { openReplica, type Replica } from './k3s-replica.ts';
import { json } from './k3s-reply.ts';
import { passwordOf } from './k3s-server-token.ts';
import type { SharedDatastore, StartingServer } from './k3s-shared.ts';

/** Prepares the etcd of a server, and writes the files that the cluster shares. Exits with K3s's error. */
export async function prepareEtcd(server: StartingServer): Promise<SharedDatastore> {
  const { directory, files, options, node } = server;
  const folder = join(directory, 'db/etcd');
  if (options.yes('cluster-reset')) {
    return resetCluster(server);
  }
  const url = (options.text('server') ?? '').replace(/\/$/, '');
  forgetRemoved(folder, url);
  const isMember = existsSync(join(folder, 'member/wal'));
  const password = passwordOf(server);
  const remote = isMember
    ? await reconciledMember(server, url, password)
    : await preparedMember(server, url, password);
  const wasReset = existsSync(join(directory, 'db/reset-flag'));
  rmSync(join(directory, 'db/reset-flag'), { force: true });
  const place: EtcdPlace = {
    directory: folder,
    name: memberName(folder, node.nodeName),
    urls: await etcdUrls(folder, node),
  };
  let etcd: Etcd | undefined;
  let objects: Replica | undefined;
  let leads = false;
  return {
    password,
    async open() {
      etcd = await member(place, isMember, remote, node.nodeName);
      const own = etcd;
      await untilVoter(own, place.name);
      if (!isMember && remote === undefined) {
        await migrateSqlite(own, directory);
      }
      await saveRow(own, password, readShared(files)).catch((error) =>
        shutDown(`failed to save bootstrap data: ${error.message}`),
      );
      objects = await openReplica(own, join(directory, 'db/objects'));
      if (wasReset) {
        objects.remove('secrets', 'kube-system', `${node.nodeName}.node-password.k3s`);
      }
      setInterval(async () => (leads = await own.leads().catch(() => false)), 1_000);
      leads = await own.leads();
      return objects;
    },
    runControllers: (all) => etcd && runMemberControllers(etcd, place, all),
    leads: () => leads,
    async rotate(next, after) {
      if (etcd !== undefined) {
        await rotateRow(etcd, { from: password, to: next }, readShared(files), after);
      }
      return 200;
    },
    async answer(request) {
      if (request.pathname === '/db/info') {
        return request.isLoopback || request.isServer ? dbInfo(etcd) : undefined;
      }
      if (request.pathname === '/v1-k3s/server-bootstrap') {
        return request.isServer ? json(200, readShared(files)) : undefined;
      }
      return request.pathname === '/db/snapshot' && request.isServer
        ? answerSnapshots({ etcd, objects, server, place }, request.method, request.body)
        : undefined;
    },
    etcdUrl: place.urls.client,
    nodeLabels: { 'node-role.kubernetes.io/etcd': 'true' },
    nodeAnnotations: {
      'etcd.k3s.cattle.io/node-name': place.name,
      'etcd.k3s.cattle.io/node-address': node.nodeIp,
    },
  };
}

/** Starts the member: again, as the first of a new cluster, or as a learner of the cluster of `remote`. */
async function member(
  place: EtcdPlace,
  isMember: boolean,
  remote: Remote | undefined,
  nodeName: string,
): Promise<Etcd> {
  if (isMember) {
    log('info', 'Starting etcd for existing cluster member');
    return startEtcd(place, { state: 'again' });
  }
  return remote === undefined ? startEtcd(place, { state: 'new' }) : joinCluster(place, remote, nodeName);
}

/**
 * Waits until this server is a voting member of a cluster with quorum; logs why not every five seconds, as K3s does.
 */
async function untilVoter(etcd: Etcd, name: string): Promise<void> {
  let logged = 0;
  for (let why = await notVoting(etcd, name); why !== undefined; why = await notVoting(etcd, name)) {
    if (Date.now() - logged >= 5_000) {
      log('info', `Failed to test etcd connection: ${why}`);
      logged = Date.now();
    }
    await sleep(250);
  }
  log('info', 'Connection to etcd is ready');
}

async function notVoting(etcd: Etcd, name: string): Promise<string | undefined> {
  try {
    if ((await etcd.status()).isLearner) {
      return 'this server has not yet been promoted from learner to voting member';
    }
    await etcd.revision();
    const members = await etcd.members();
    return members.some((member) => member.name === name)
      ? undefined
      : `this server is a not a member of the etcd cluster. Found [${members.map((one) => `${one.name}=${one.peerURLs[0]}`).join(' ')}], expect: ${name}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
