import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { advisory } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { type CopyPurpose, copyNeed } from './copy-step.ts';
import { sqlitePath } from './datastore-kind.ts';
import { etcdPath } from './etcd-queries.ts';
import { clusterCa, withoutCa } from './keep-copy.ts';

/**
 * Returns why the next copy of the datastore would fail, as far as that is known without making it: the disk lacks the
 * room, or the CA of the cluster is missing. Returns `undefined` if no copy is needed. `free` measures the free
 * megabytes at a path; without it, the room is not judged.
 */
export async function copyLack(
  host: HostReader,
  node: K3sNode,
  forWhat: CopyPurpose,
  free?: (path: string) => Promise<number>,
): Promise<NodeError | undefined> {
  const { paths } = node;
  const need = await copyNeed(host, node, forWhat);
  if (need === undefined || need.isCopied) {
    return undefined;
  }
  if ((await clusterCa(host, paths)) === undefined) {
    return withoutCa();
  }
  const needed = Math.ceil(need.room / 1024 ** 2);
  const available = (await free?.(paths.slipway.backup)) ?? needed;
  return available >= needed
    ? undefined
    : new NodeError(
        'CopyDeclined',
        `"${forWhat.reason}" waits, because a copy of ${need.kind === 'etcd' ? etcdPath(paths) : sqlitePath(paths)} would not fit: it needs ${needed} MB of free space in ` +
          `${paths.slipway.backup}, and ${available} MB are free. Free some space, or make the disk larger.`,
        advisory,
      );
}
