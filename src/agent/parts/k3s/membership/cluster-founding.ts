import { hintsOf } from '../../../clouds/chosen.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import { forPerson } from '../../../engine/severity.ts';
import { isOwnServer, isServer, type K3sNode, mayActForCluster, unitName } from '../../../node.ts';
import { showUnit } from '../../../resources/unit.ts';
import { foundingId } from './founding/etcd-founding.ts';
import { judgeFailedPing, type Sign } from './founding/failed-ping.ts';
import { serverNames } from './founding/server-names.ts';
import { hangingAddress, unresolvedName } from './founding/words.ts';
import { joinedCluster } from './joined-cluster.ts';
import { requirePong } from './supervisor.ts';

/**
 * Checks that a server with SQLite does not found a second cluster. Throws `ClusterExists` if a tag or setting names
 * another server to join. Also throws it if another K3s server answers at a name in tls-san while this VM has no
 * running K3s and no cluster on its disk, as after the first server lost its disk. Waits with `FoundingWaits` while
 * such a name answers in another way or hangs, or no DNS server answers: only a missing connection is silence.
 *
 * The error does not block a server that already has a cluster.
 */
export function clusterFounding(node: K3sNode): Resource {
  return {
    id: foundingId,
    summary: 'make sure that this server founds the only cluster',
    condition: 'Role',
    async check(host) {
      const isFounded = await joinedCluster(host, node);
      const error = serverToJoin(node);
      if (error) {
        throw isFounded ? error.nonBlocking() : error;
      }
      return (isFounded ? undefined : await answeringServer(host, node)) ?? inSync();
    },
  };
}

/** Returns `ClusterExists` for a server if a tag or setting names another server to join; otherwise `undefined`. */
export function serverToJoin(node: K3sNode): NodeError | undefined {
  const { role, server, settings } = node;
  if (
    !isServer(node) ||
    settings.k3s.datastore !== 'sqlite' ||
    server === undefined ||
    mayActForCluster(node)
  ) {
    return undefined;
  }
  return clusterExists(
    `This VM has the role ${role.name}, and the tag k3s-server or k3s.server names the K3s server ${server}. With ` +
      'SQLite, a cluster has one server, so this VM founds no second cluster beside it, and leaves Secrets, charts and ' +
      'GitOps of the cluster to that server. Take the tag or setting away from this VM, or give it the role agent; for ' +
      'several servers, set k3s.datastore: etcd on all of them.',
  );
}

/**
 * Returns what must end before this server founds a cluster: a wait, while a name in tls-san answers with an error or
 * hangs, or no DNS server answers; `undefined` if every name is silent. Throws `ClusterExists` if a K3s server answers.
 */
async function answeringServer(host: HostReader, node: K3sNode): Promise<Finding | undefined> {
  // While K3s starts on this VM, it answers at its own names in tls-san shortly before its token file exists.
  if (await isStarted(host, node)) {
    return undefined;
  }
  const addresses = await serverNames(host, node);
  const others = [...new Set(addresses)].filter((address) => !isOwnServer(node, address));
  const found = await Promise.all(others.map((address) => sayingOf(host, node, address)));
  const server = others.find((_, index) => found[index] === 'isServer');
  if (server !== undefined) {
    throw serverAnswers(server);
  }
  for (const [sign, told] of waits) {
    const address = others.find((_, index) => found[index] === sign);
    if (address !== undefined) {
      return waiting('FoundingWaits', told(address));
    }
  }
  return undefined;
}

/** The signs that delay the founding, each with its message. */
const waits: readonly (readonly [Sign, (address: string) => string])[] = [
  ['answers', answersOdd],
  ['hangs', hangingAddress],
  ['noDns', unresolvedName],
];

type Saying = Sign | 'isServer';

async function sayingOf(host: HostReader, { settings }: K3sNode, address: string): Promise<Saying> {
  try {
    await requirePong(host, address, hintsOf(settings));
    return 'isServer';
  } catch (thrown) {
    return judgeFailedPing(host, address, thrown);
  }
}

function answersOdd(address: string): string {
  return (
    `${address}, which is in k3s.config.tls-san, answers, but not as a server that is ready. This VM has no cluster on its ` +
    'disk, and founds none while another one may start there. If a balancer or another program answers, and you know that ' +
    'no cluster lives behind it, take the name out of tls-san until this server is Ready.'
  );
}

function serverAnswers(address: string): NodeError {
  return clusterExists(
    `A K3s server answers at ${address}, which is in k3s.config.tls-san, and this VM has no cluster on its disk: it would found a ` +
      'second one of that name. Attach the disk with /var/lib/rancher/k3s if it is missing. If a new cluster is meant, stop ' +
      'that server, or take its name out of tls-san until this one is Ready.',
  );
}

async function isStarted(host: HostReader, { role }: K3sNode): Promise<boolean> {
  const { ActiveState } = await showUnit(host, unitName(role.k3s), ['ActiveState']);
  return ['active', 'reloading', 'activating'].includes(ActiveState);
}

function clusterExists(message: string): NodeError {
  return new NodeError('ClusterExists', message, forPerson);
}
