import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader, Job } from '../../../engine/host.ts';
import { underway } from '../../../engine/jobs.ts';
import { parseJson } from '../../../engine/json.ts';
import type { Finding } from '../../../engine/resource.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { type DatastoreCopier, datastoreCopiers } from './copiers.ts';
import { datastoreCopies, draftPath, surplusFiles } from './copies.ts';
import { databaseFacts } from './copy-facts.ts';
import { copyWait } from './copy-wait.ts';
import { type DatastoreKind, datastoreKind } from './datastore-kind.ts';
import { etcdMembers } from './etcd-members.ts';
import { keepCopy } from './keep-copy.ts';

/** The change before which the datastore is copied. */
export interface CopyPurpose {
  /** The change, as in `upgrade v1.36.4+k3s1`. With another text, such as one with a nonce, another copy is made. */
  readonly reason: string;
  /** The K3s release that runs now, and so writes the datastore. */
  readonly version: string;
  /** The largest database in bytes that is copied, if the copy has to be quick. */
  readonly largest?: number;
  /** True to copy etcd even if other servers have the data too. */
  readonly always?: boolean;
}

/** The longest age at which a copy still counts for its purpose, in milliseconds. */
const fresh = 3_600_000;
/** The number of copies to keep. */
const kept = 2;

/**
 * Returns the next step towards a proven copy of the datastore, SQLite or etcd, made for this purpose within the last
 * hour. Returns `undefined` if the copy exists and older copies are pruned: the change may begin. Also returns
 * `undefined` if no copy applies: on an agent, before the first start of K3s, with an external datastore, and for a
 * database larger than `largest`. Nor does one apply to etcd with other servers, which have the data too, unless the
 * purpose says `always`.
 *
 * The copy is a job. It begins only while K3s is active, and does not count if K3s was restarted meanwhile. Its failure
 * is `CopyDeclined` if the disk lacks the room: three times the size of the database with its log, plus 1 GB.
 */
export async function copyStep(
  host: HostReader,
  node: K3sNode,
  forWhat: CopyPurpose,
): Promise<Finding | undefined> {
  const { paths } = node;
  const need = await copyNeed(host, node, forWhat);
  if (need === undefined || need.isCopied) {
    return need && pruned(host, paths);
  }
  const running = await host.job(paths.slipway.datastoreCopy);
  if (running) {
    return underway(running, false);
  }
  const wait = await copyWait(host, node, 'the copy of the datastore');
  if (wait) {
    return wait;
  }
  return {
    state: 'Drifted',
    drift: {
      changes: [{ field: 'copy of the datastore', observed: need.latest, desired: forWhat.reason }],
      summary: `copy the datastore to ${paths.slipway.backup}`,
      partial: true,
      blocks: false,
      remedy: (host) => bringCopy(host, node, forWhat, need),
    },
  };
}

/** What is known of the copy for a purpose. */
export interface CopyNeed {
  readonly kind: DatastoreKind;
  readonly copier: DatastoreCopier;
  /** True if the copy exists and is not too old. */
  readonly isCopied: boolean;
  /** The free bytes without which no copy is made. */
  readonly room: number;
  /** The time of the last copy, for whatever purpose. */
  readonly latest: string | undefined;
}

/** Returns what is known of the copy for a purpose; `undefined` if `copyStep` makes none. */
export async function copyNeed(
  host: HostReader,
  node: K3sNode,
  { reason, largest = Number.POSITIVE_INFINITY, always = false }: CopyPurpose,
): Promise<CopyNeed | undefined> {
  const { paths } = node;
  const kind = await datastoreKind(host, paths);
  const copier = isServer(node) ? datastoreCopiers[kind] : undefined;
  const size = await copier?.size(host, paths);
  if (copier === undefined || size === undefined || size.bytes > largest) {
    return undefined;
  }
  if (kind === 'etcd' && !always && ((await etcdMembers(host, node))?.others ?? 0) > 0) {
    return undefined;
  }
  const copies = await datastoreCopies(host, paths);
  const isCopied = copies.some((copy) => copy.reason === reason && isFresh(copy.madeAt, host.now()));
  return { kind, copier, isCopied, room: size.room, latest: copies.at(-1)?.madeAt };
}

function isFresh(madeAt: string, now: number): boolean {
  const age = now - Date.parse(madeAt);
  return age >= 0 && age < fresh;
}

/**
 * Returns a step that removes all but the last two copies, and the remains of copies that were not completed, unless a
 * copy is being made.
 */
async function pruned(host: HostReader, paths: NodePaths): Promise<Finding | undefined> {
  if ((await host.job(paths.slipway.datastoreCopy)) !== undefined) {
    return undefined;
  }
  const surplus = await surplusFiles(host, paths, (await datastoreCopies(host, paths)).slice(-kept));
  if (surplus.length === 0) {
    return undefined;
  }
  const remedy = async (host: Host) => {
    for (const path of surplus) {
      await host.remove(path);
    }
  };
  const changes = surplus.map((path) => ({ field: path, observed: 'present', desired: undefined }));
  const summary = `remove older copies of the datastore: ${surplus.join(' ')}`;
  return { state: 'Drifted', drift: { changes, summary, partial: true, blocks: false, remedy } };
}

async function bringCopy(
  host: Host,
  node: K3sNode,
  forWhat: CopyPurpose,
  { kind, copier, room }: CopyNeed,
): Promise<void> {
  const { paths } = node;
  const job: Job = {
    trace: paths.slipway.datastoreCopy,
    what: `copy the datastore to ${paths.slipway.backup}`,
    subject: forWhat.reason,
  };
  const text = await host.perform(job, async (signal) =>
    JSON.stringify(await copier.copy(host, node, { to: draftPath(paths), room }, signal)),
  );
  const facts = parseJson(databaseFacts, text);
  if (facts === undefined) {
    throw new NodeError('InternalError', 'The job of the copy has no facts about it.');
  }
  await keepCopy(host, paths, facts, { ...forWhat, kind });
}
