import * as z from 'zod/mini';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { parseJson } from '../../engine/json.ts';
import { inSync, type Resource } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import type { K3sNode } from '../../node.ts';
import { clusterOnDisk } from './membership/founding/disk.ts';
import { readOwnNode } from './own-node.ts';

/** The address at which etcd answers about its health on each server (pkg/etcd/etcd.go, listen-metrics-urls). */
const health = 'http://127.0.0.1:2381/health';
/** The milliseconds after which the leader of etcd removes a learner that makes no progress (pkg/etcd/etcd.go). */
const learning = 5 * 60_000;

const answer = z.object({ health: z.string(), reason: z.optional(z.string()) });

/**
 * Watches the member of etcd on this server. Throws `QuorumLost` if etcd has no leader, and `EtcdLearnerBehind` if this
 * member has not caught up within five minutes. Neither blocks, since K3s and the pods run on. Is in sync without etcd
 * on the disk, and while etcd or the API does not answer, which other conditions report.
 */
export function etcdMember(node: K3sNode, needs: readonly string[]): Resource {
  return {
    id: 'Etcd/member',
    summary: 'watch the member of etcd on this server',
    condition: 'K3sRunning',
    isQuiet: true,
    needs,
    async check(host) {
      if ((await clusterOnDisk(host, node.paths)) !== 'etcd') {
        return inSync();
      }
      if (!(await hasLeader(host))) {
        throw quorumLost();
      }
      const since = await learnerSince(host, node);
      if (since !== undefined && host.now() - since > learning) {
        throw learnerBehind(node, since);
      }
      return inSync();
    },
  };
}

async function hasLeader(host: HostReader): Promise<boolean> {
  const found = await host.get({ url: health, direct: true, timeout: 5_000 }).catch(notAnswered);
  const state = found && parseJson(answer, found.body);
  return state === undefined || state.health === 'true' || !/NO LEADER/i.test(state.reason ?? '');
}

/**
 * Returns since when this member is a learner, in epoch milliseconds; `undefined` if it votes or the API does not tell.
 */
async function learnerSince(host: HostReader, node: K3sNode): Promise<number | undefined> {
  const found = await readOwnNode(host, node).catch(notAnswered);
  const voter = found?.status?.conditions?.find(({ type }) => type === 'EtcdIsVoter');
  const since = Date.parse(voter?.lastTransitionTime ?? '');
  return voter?.status === 'False' && voter.reason === 'MemberIsLearner' && !Number.isNaN(since)
    ? since
    : undefined;
}

function notAnswered(thrown: unknown): undefined {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
}

function quorumLost(): NodeError {
  return new NodeError(
    'QuorumLost',
    'etcd on this server has no leader: more than half of the servers do not answer. Running pods go on, and nothing in ' +
      'the cluster can change. Start the other servers, or let TCP 2379 and 2380 pass between them. If they are lost for ' +
      'good, see docs/usage/servers.md for the way back.',
    advisory,
  );
}

function learnerBehind({ name }: K3sNode, since: number): NodeError {
  return new NodeError(
    'EtcdLearnerBehind',
    `${name} has been a learner of etcd since ${new Date(since).toISOString()}, and does not vote. The leader removes a ` +
      'learner that makes no progress for five minutes. Check the speed of its disk, and the network between the servers.',
    advisory,
  );
}
