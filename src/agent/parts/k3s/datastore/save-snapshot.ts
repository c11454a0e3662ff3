import { basename } from 'node:path';
import * as z from 'zod/mini';
import { NodeError } from '../../../engine/errors.ts';
import type { Host } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import { askForSnapshots, lastWords, snapshotFailed } from './snapshot-request.ts';

/** The start of the names of Slipway's snapshots. K3s adds the name of the node and the time. */
const prefix = 'slipway-copy';

const saved = z.object({ created: z.optional(z.array(z.string())) });
const deleted = z.object({});
const listed = z.object({
  items: z.optional(
    z.nullable(z.array(z.object({ spec: z.object({ snapshotName: z.string(), location: z.string() }) }))),
  ),
});

/** The milliseconds between two requests while K3s saves another snapshot, and the number of requests. */
const again = 10_000;
const attempts = 60;

/**
 * Has K3s save a snapshot, in the folder of its own snapshots, and returns its name and path. Waits up to ten minutes
 * while K3s saves another one. Throws the errors of `askForSnapshots`.
 *
 * The folder is that of K3s, because K3s takes a request for another folder for the list of all its snapshots there:
 * it would remove the objects of its own ones from the cluster (pkg/etcd/snapshot.go, reconcileSnapshotData).
 */
export async function saveSnapshot(
  host: Host,
  node: K3sNode,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly path: string }> {
  const { created = [] } = await unlessBusy(host, signal, () =>
    askForSnapshots(host, node, { operation: 'save', name: [prefix], compress: false, retention: 0 }, saved),
  );
  const name = created.find((each) => isOwn(each, node));
  const path = (await snapshots(host, node)).find((each) => each.name === name)?.path;
  if (name === undefined || path === undefined) {
    const words = await lastWords(host, node, 'Failed to take etcd snapshot: ');
    throw snapshotFailed(
      name === undefined ? (words ?? 'it has saved none') : `it does not list ${name} on this disk`,
    );
  }
  return { name, path };
}

/** Removes the snapshots that Slipway had K3s save on this server, and no other ones. */
export async function removeOwnSnapshots(host: Host, node: K3sNode): Promise<void> {
  const names = (await snapshots(host, node)).map(({ name }) => name).filter((name) => isOwn(name, node));
  if (names.length > 0) {
    await askForSnapshots(host, node, { operation: 'delete', name: names }, deleted);
  }
}

/** True for the name of a snapshot that Slipway has asked for on this server, and for its unfinished file. */
function isOwn(name: string, node: K3sNode): boolean {
  const start = `${prefix}-${node.name}-`;
  return name.startsWith(start) && /^\d+(\.part)?$/.test(name.slice(start.length));
}

/** Returns the snapshots on the disk of this server, with their paths. */
async function snapshots(host: Host, node: K3sNode) {
  const { items } = await askForSnapshots(host, node, { operation: 'list' }, listed);
  return (items ?? []).flatMap(({ spec: { snapshotName: name, location } }) => {
    const path = /^file:\/\/(\/.*)$/.exec(location)?.[1];
    return path !== undefined && basename(path) === name ? [{ name, path }] : [];
  });
}

/** Repeats the work while K3s saves another snapshot. */
async function unlessBusy<Result>(
  host: Host,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (thrown) {
      const isBusy = thrown instanceof NodeError && thrown.message.includes('already in progress');
      if (!isBusy || attempt === attempts) {
        throw thrown;
      }
      await host.sleep(again, signal);
      signal.throwIfAborted();
    }
  }
}
