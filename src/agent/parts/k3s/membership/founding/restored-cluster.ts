import { basename, dirname, join } from 'node:path';
import * as z from 'zod/mini';
import { hintsOf } from '../../../../clouds/chosen.ts';
import { NodeError } from '../../../../engine/errors.ts';
import type { Host, HostReader } from '../../../../engine/host.ts';
import { parseJson } from '../../../../engine/json.ts';
import { forPerson } from '../../../../engine/severity.ts';
import { applyObject, readApi } from '../../../../kubernetes/api.ts';
import { type ApiAccess, readKubeconfig } from '../../../../kubernetes/kubeconfig.ts';
import { objectPath } from '../../../../kubernetes/object-path.ts';
import { type K3sNode, unitName } from '../../../../node.ts';
import type { NodePaths } from '../../../../paths.ts';
import { fileText } from '../../../../resources/file-text.ts';
import { showUnit } from '../../../../resources/unit.ts';
import { databaseInfo } from '../supervisor.ts';
import type { Token } from '../token.ts';
import { askServers, otherServers } from './peers.ts';

const name = 'slipway-restore';
const kind = { apiVersion: 'v1', resource: 'configmaps', namespace: 'kube-system', name } as const;

const record = z.object({ data: z.object({ restoredAt: z.string() }) });
const info = z.object({ members: z.array(z.object({ name: z.string() })) });

/** Records in the cluster that it was restored now, for servers whose disks have the former cluster. */
export async function recordRestore(host: Host, { k3s }: NodePaths): Promise<void> {
  const access = await readKubeconfig(host, k3s.kubeconfig);
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: kind.namespace },
    data: { restoredAt: new Date(host.now()).toISOString() },
  };
  await applyObject(host, access, objectPath(kind), JSON.stringify(object), { force: true });
}

/**
 * Throws `ClusterExists` on a server whose disk has etcd of a cluster that was restored without it: its K3s would bring
 * the former cluster back beside the restored one.
 *
 * A server that has the CA of this disk and accepts the token must prove all of it: its API, which answers only with
 * quorum, has the record of a restore; and its cluster does not have the member of this disk. Does nothing in any other
 * case: while no server answers, or K3s runs here.
 */
export async function refuseFormer(host: HostReader, node: K3sNode, token: Token | undefined): Promise<void> {
  if (token === undefined || !(await isDown(host, node))) {
    return;
  }
  const clusters = await livingClusters(host, node, token);
  const restored = clusters.find(({ hasThis, restoredAt }) => !hasThis && restoredAt !== undefined);
  if (restored !== undefined) {
    throw forgotten(node, restored);
  }
}

async function isDown(host: HostReader, { role }: K3sNode): Promise<boolean> {
  const { ActiveState } = await showUnit(host, unitName(role.k3s), ['ActiveState']);
  return ['inactive', 'failed'].includes(ActiveState);
}

/** A living cluster that has the CA and the token of this disk. */
export interface LivingCluster {
  /** The server that shows it. */
  readonly address: string;
  readonly members: number;
  /** True if it has the member of this disk. */
  readonly hasThis: boolean;
  /** When it was restored, as ISO 8601; absent if it has no record of a restore. */
  readonly restoredAt?: string;
}

/**
 * Returns the cluster that each server in k3s.peers shows, if it has the CA of this disk and accepts the token, its API
 * answers with a majority of etcd, and it lists the members. A server that shows less is left out. The clusters may
 * differ, if one server was reset alone.
 */
export async function livingClusters(
  host: HostReader,
  node: K3sNode,
  token: Token,
): Promise<readonly LivingCluster[]> {
  const { datastore, kubeconfig, serverCa } = node.paths.k3s;
  const member = (await fileText(host, join(datastore, 'etcd/name'))).trim();
  const ca = await fileText(host, serverCa);
  const admin = await readKubeconfig(host, kubeconfig).catch(notAnswered);
  if (member === '' || ca === '' || admin === undefined) {
    return [];
  }
  const { peers } = await otherServers(host, node);
  const answers = await askServers(host, node, { peers, others: [] }, token);
  const clusters: LivingCluster[] = [];
  for (const { address } of answers.filter(({ says }) => says === 'accepts')) {
    const access = { server: address, trust: { ...admin.trust, anyName: true } };
    const record = await restoreRecord(host, access).catch(notAnswered);
    const text =
      record && (await databaseInfo(host, address, ca, token, hintsOf(node.settings)).catch(notAnswered));
    const members = text === undefined ? undefined : parseJson(info, text)?.members;
    if (record !== undefined && members !== undefined && members.length > 0) {
      const hasThis = members.some(({ name }) => name === member);
      clusters.push({ address, members: members.length, hasThis, ...record });
    }
  }
  return clusters;
}

/**
 * Returns the time of the record; empty without a record, and `undefined` for a damaged one. Throws without an answer
 * of the API.
 */
async function restoreRecord(
  host: HostReader,
  access: ApiAccess,
): Promise<Pick<LivingCluster, 'restoredAt'> | undefined> {
  const restoredAt = (await readApi(host, access, objectPath(kind), record))?.data.restoredAt;
  if (restoredAt === undefined) {
    return {};
  }
  return Number.isNaN(Date.parse(restoredAt)) ? undefined : { restoredAt };
}

function notAnswered(thrown: unknown): undefined {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
}

function forgotten({ paths }: K3sNode, { address, restoredAt }: LivingCluster): NodeError {
  const { datastore } = paths.k3s;
  return new NodeError(
    'ClusterExists',
    `The cluster at ${address} was restored at ${restoredAt}, and does not have the etcd member of this server, whose disk has the ` +
      'former cluster. K3s would bring that one back, so Slipway does not start it. Move its database aside, and this ' +
      `server joins: mv ${datastore} ${join(dirname(datastore), `${basename(datastore)}.former`)}`,
    forPerson,
  );
}
