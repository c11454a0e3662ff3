/**
 * How a server joins the etcd of a cluster.
 *
 * Models pkg/etcd/etcd.go: names of members (setName), /db/info (infoHandler), `join` with its refusal of a duplicate
 * node name, and `Start`, which waits while another learner is being promoted or a member is unhealthy.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Etcd, etcdAt, type Member } from './k3s-etcd-client.ts';
import { type EtcdPlace, startEtcd } from './k3s-etcd-process.ts';
import { ask, type Remote } from './k3s-join.ts';
import { log, shutDown } from './k3s-log.ts';
import { type Reply, status } from './k3s-reply.ts';

/** Returns the name of the member in `folder`; makes one at the first start. */
export function memberName(folder: string, nodeName: string): string {
  const file = join(folder, 'name');
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, `${nodeName}-${randomUUID().slice(0, 8)}`, { mode: 0o600 });
  }
  return readFileSync(file, 'utf8').trim();
}

/** Answers /db/info with the members; without quorum, or before etcd runs, with an error (seen on a real K3s 1.36). */
export async function dbInfo(etcd: Etcd | undefined): Promise<Reply> {
  // The list itself is no proof of quorum: etcd before 3.5 answers from its own disk.
  const found = etcd?.revision().then(() => etcd.members());
  const members = await Promise.race([found, sleep(2_000)]).catch(() => undefined);
  if (!Array.isArray(members)) {
    const why = etcd === undefined ? 'etcd not started' : 'context deadline exceeded';
    return status(500, 'InternalError', `failed to get etcd MemberList: ${why}`);
  }
  const body = JSON.stringify({ members }).replaceAll(/"ID":"(\d+)"/g, '"ID":$1');
  return { status: 200, body: `${body}\n`, type: 'application/json' };
}

/** Joins the cluster of `remote` as a learner, and starts etcd. Exits if the cluster has a node of this name. */
export async function joinCluster(place: EtcdPlace, remote: Remote, nodeName: string): Promise<Etcd> {
  for (;;) {
    try {
      const cluster = await addMember(place, remote, nodeName);
      log('info', `Starting etcd for cluster [${cluster.join(' ')}]`);
      return await startEtcd(place, { state: 'existing', cluster: cluster.join(',') });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (/too many learner members|unhealthy cluster|not enough started members/.test(why)) {
        log('info', `Waiting for other members to finish joining etcd cluster: ${why}`);
      } else if (/db\/info/.test(why)) {
        log(
          'info',
          `Waiting to retrieve etcd cluster member list: failed to get MemberList from server: ${why}`,
        );
      } else {
        shutDown(`etcd cluster join failed: ${why}`);
      }
      await sleep(1_000);
    }
  }
}

/** Adds this server to the members unless it is one; resolves to all members as NAME=URL. */
async function addMember(
  { directory, name, urls }: EtcdPlace,
  remote: Remote,
  nodeName: string,
): Promise<readonly string[]> {
  const info = await ask(remote, '/db/info', 'server');
  const known: readonly Member[] = JSON.parse(info.replaceAll(/"ID":(\d+)/g, '"ID":"$1"')).members;
  const voters = known.filter(({ isLearner, peerURLs }) => !isLearner && !peerURLs.includes(urls.peer));
  const peer = etcdAt(voters[0]?.clientURLs?.[0] ?? '');
  const members = (await peer.members()).map((member) =>
    !member.name && member.peerURLs.includes(urls.peer) ? { ...member, name } : member,
  );
  const duplicate = members.find(
    (member) => member.name !== name && member.name?.replace(/-[^-]*$/, '') === nodeName,
  );
  if (duplicate !== undefined) {
    rmSync(join(directory, 'name'), { force: true });
    throw new Error('duplicate node name found, please use a unique name for this node');
  }
  const cluster = members.map((member) => `${member.name ?? ''}=${member.peerURLs[0]}`);
  if (members.some((member) => member.name === name)) {
    return cluster;
  }
  log('info', `Adding member ${name}=${urls.peer} to etcd cluster [${cluster.join(' ')}]`);
  await peer.addLearner(urls.peer);
  return [...cluster, `${name}=${urls.peer}`];
}
