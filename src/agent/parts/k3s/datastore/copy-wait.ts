import type { HostReader } from '../../../engine/host.ts';
import { type Finding, waiting } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { activeStart } from './active-start.ts';
import { datastoreKind } from './datastore-kind.ts';
import { etcdMembers } from './etcd-members.ts';

/**
 * Returns a wait if the datastore cannot be copied now: K3s is not up, or its etcd is a learner, of which K3s takes no
 * snapshot. `what` begins the message.
 */
export async function copyWait(host: HostReader, node: K3sNode, what: string): Promise<Finding | undefined> {
  if ((await activeStart(host)) === undefined) {
    return waiting('ServiceStarting', `${what} waits until K3s is up`, { blocks: false });
  }
  const isEtcd = (await datastoreKind(host, node.paths)) === 'etcd';
  return isEtcd && (await etcdMembers(host, node))?.isLearner
    ? waiting(
        'EtcdJoining',
        `${what} waits until this member of etcd votes: K3s says that a snapshot is "not supported for learner"`,
        { blocks: false, after: 30_000 },
      )
    : undefined;
}
