import type * as z from 'zod/mini';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { parseJson } from '../../../engine/json.ts';
import { printableLine } from '../../../engine/printable.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';
import { serverNotReady } from '../membership/supervisor.ts';
import { basicAuth, parseToken } from '../membership/token.ts';
import { localServer } from './local-server.ts';

/** A request to K3s about its snapshots of etcd (pkg/etcd/snapshot_handler.go, SnapshotRequest). */
export type SnapshotRequest =
  | {
      readonly operation: 'save';
      readonly name: readonly [string];
      readonly compress: boolean;
      readonly retention: 0;
    }
  | { readonly operation: 'list' }
  | { readonly operation: 'delete'; readonly name: readonly string[] };

/**
 * The longest time for an answer in milliseconds: K3s answers once the snapshot is on the disk, and a slow disk takes
 * minutes for some gigabytes. K3s ends a save whose caller is gone.
 */
const longest = { save: 900_000, list: 30_000, delete: 60_000 } as const;

/**
 * Sends a request about snapshots to the K3s of this server (POST /db/snapshot, as `k3s etcd-snapshot` does), and
 * returns its answer. Throws `SnapshotFailed` with K3s's words if K3s refuses, and `ServerNotReady` while it starts.
 */
export async function askForSnapshots<Schema extends z.ZodMiniType>(
  host: Host,
  node: K3sNode,
  request: SnapshotRequest,
  form: Schema,
): Promise<z.output<Schema>> {
  const { url, trust } = await localServer(host, node);
  const token = parseToken(await fileText(host, node.paths.k3s.serverToken));
  const { status, body } = await host.send({
    method: 'POST',
    url: `${url}/db/snapshot`,
    headers: { authorization: basicAuth('server', token?.credential ?? '') },
    body: JSON.stringify(request),
    timeout: longest[request.operation],
    direct: true,
    trust,
  });
  const found = status === 200 ? parseJson(form, body) : undefined;
  if (found !== undefined) {
    return found;
  }
  throw status === 503
    ? serverNotReady(url).nonBlocking()
    : snapshotFailed(await wordsOf(host, node, status, body));
}

/** Returns the error for a K3s that takes no snapshot, with its words. */
export function snapshotFailed(words: string): NodeError {
  return new NodeError(
    'SnapshotFailed',
    `K3s takes no snapshot of etcd: ${words}. Slipway asks again by itself; journalctl -u k3s has more.`,
    { blocks: false },
  );
}

/** The words for the answers that K3s gives before it looks at a snapshot. */
const known: Readonly<Record<number, string>> = {
  401: 'it refuses the token in its file, as after a rotation of the join token until its restart',
  403: 'it refuses the token in its file, as after a rotation of the join token until its restart',
  404: 'this release of K3s has no requests for snapshots',
};

/**
 * Returns why K3s refuses. Its answer has only the number under which its log has the words (pkg/util/apierrors.go,
 * SendErrorWithID).
 */
async function wordsOf(host: HostReader, node: K3sNode, status: number, body: string): Promise<string> {
  const id = /error ID (\d+)/.exec(body)?.[1];
  const line = id === undefined ? undefined : await lineWith(host, node, id);
  return line ?? known[status] ?? `it answers ${status}`;
}

async function lineWith(host: HostReader, node: K3sNode, id: string): Promise<string | undefined> {
  const words = await lastWords(host, node, `etcd-snapshot error ID ${id}: `);
  // K3s reports no error for a learner, only a warning on the line before.
  return words === '"<nil>"' ? lastWords(host, node, 'Unable to take snapshot: ') : words;
}

/**
 * Returns what the log of K3s has after some words, in the last line that has them, in quotation marks; `undefined`
 * without such a line.
 */
export async function lastWords(
  host: HostReader,
  node: K3sNode,
  before: string,
): Promise<string | undefined> {
  const { stdout } = await host.query({
    file: 'journalctl',
    args: ['-u', unitName(node.role.k3s), '-o', 'cat', '-n', '200', '--no-pager'],
  });
  const at = stdout.lastIndexOf(before);
  const [said] = /^(?:[^"\\\n]|\\.)*/.exec(at < 0 ? '' : stdout.slice(at + before.length)) ?? [];
  return said ? `"${printableLine(said).slice(0, 300)}"` : undefined;
}
