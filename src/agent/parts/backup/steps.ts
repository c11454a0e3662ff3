import { NodeError } from '../../engine/errors.ts';
import type { Host, HostReader } from '../../engine/host.ts';
import type { Finding } from '../../engine/resource.ts';
import { copyWait } from '../k3s/index.ts';
import { backupFiles } from './files.ts';
import type { BackupDescription, BackupManifest } from './manifest.ts';
import { type BackupRecord, type UnderWay, withOlder, withoutUnderWay, writeRecord } from './record.ts';
import {
  type BackupGround,
  copyData,
  describedBy,
  digestedBy,
  olderResult,
  packData,
  proveData,
  pruneStore,
  storeData,
} from './work.ts';

/** One step of a backup: a job, and what the record notes of its result. */
interface Step {
  readonly what: string;
  readonly trace: string;
  work(host: Host, signal: AbortSignal): Promise<string>;
  /** Returns the record after the step, from the result of the job. */
  noted(result: string): BackupRecord;
  /** True if the step moves the whole backup, so that it is repeated ever more rarely. */
  readonly isTransfer?: boolean;
  /** The record after a failure of the step, if it notes one. */
  readonly failing?: BackupRecord;
  /** The files that the step makes superfluous, removed after the record is written. */
  readonly superfluous?: readonly string[];
}

/**
 * Returns the next step of the backup that is under way, or a wait for K3s; `undefined` if its files are gone, so that
 * another backup has to begin.
 */
export async function underWayStep(
  host: HostReader,
  ground: BackupGround,
  record: BackupRecord,
  underWay: UnderWay,
): Promise<Finding | undefined> {
  const { paths } = ground.node;
  const { description, packed, isStored = false } = underWay;
  const files = backupFiles(paths);
  if (description === undefined) {
    const wait = await copyWait(host, ground.node, 'the backup');
    return wait ?? drifted(ground, record, copying(ground, record, underWay));
  }
  if (packed === undefined) {
    const isThere = await isFile(host, files.copy, description.bytes);
    return isThere
      ? drifted(ground, record, packing(ground, record, { ...underWay, description }))
      : undefined;
  }
  if (!isStored) {
    const isThere = await isFile(host, files.packed, packed.bytes);
    return isThere
      ? drifted(ground, record, storing(ground, record, { ...underWay, description, packed }))
      : undefined;
  }
  return drifted(ground, record, proving(ground, record, { ...underWay, description, packed }));
}

type Described = UnderWay & { readonly description: BackupDescription };
type PackedUp = Described & { readonly packed: BackupManifest['packed'] };

function copying(ground: BackupGround, record: BackupRecord, underWay: UnderWay): Step {
  return {
    what: 'copy the datastore for a backup',
    trace: ground.node.paths.slipway.datastoreCopy,
    work: (host, signal) => copyData(host, ground, underWay, signal),
    noted: (result) => ({ ...record, underWay: { ...underWay, description: describedBy(result) } }),
  };
}

function packing(ground: BackupGround, record: BackupRecord, underWay: Described): Step {
  const { slipway } = ground.node.paths;
  return {
    what: 'compress the backup',
    trace: slipway.backupWork,
    work: (host, signal) => packData(host, ground, underWay.description, signal),
    noted: (result) => ({ ...record, underWay: { ...underWay, packed: digestedBy(result) } }),
    superfluous: [backupFiles(ground.node.paths).copy],
  };
}

function storing(ground: BackupGround, record: BackupRecord, underWay: PackedUp): Step {
  const { paths } = ground.node;
  return {
    what: `store the backup in ${record.to}`,
    trace: paths.slipway.backupWork,
    work: (_host, signal) => storeData(ground, underWay.description, underWay.packed, signal),
    noted: () => ({ ...record, underWay: { ...underWay, isStored: true } }),
    isTransfer: true,
    superfluous: [backupFiles(paths).packed],
  };
}

function proving(ground: BackupGround, record: BackupRecord, { id, description, packed }: PackedUp): Step {
  const { paths } = ground.node;
  const { ca, madeAt, bytes } = description;
  const proven = { id, ca, madeAt, bytes, stored: packed.bytes };
  const { underWay: _, failed: __, ...kept } = record;
  return {
    what: `fetch the backup from ${record.to} and open it`,
    trace: paths.slipway.backupWork,
    work: (host, signal) => proveData(host, ground, description, packed, signal),
    noted: () => ({ ...kept, proven }),
    isTransfer: true,
    superfluous: [backupFiles(paths).folder],
  };
}

/** Returns the step that removes older backups from the store. */
export function pruneStep(
  ground: BackupGround,
  record: BackupRecord,
  proven: NonNullable<BackupRecord['proven']>,
): Finding {
  return drifted(ground, record, {
    what: `remove older backups from ${record.to}`,
    trace: ground.node.paths.slipway.backupWork,
    work: () => pruneStore(ground, record, proven),
    noted: (result) => withOlder(record, proven, olderResult.parse(result)),
    ...(!proven.isStuck && { failing: { ...record, proven: { ...proven, isStuck: true } } }),
    superfluous: [backupFiles(ground.node.paths).folder],
  });
}

async function isFile(host: HostReader, path: string, bytes: number): Promise<boolean> {
  const found = await host.stat(path);
  return found?.kind === 'file' && found.size === bytes;
}

function drifted(ground: BackupGround, record: BackupRecord, step: Step): Finding {
  const { what, trace, superfluous = [] } = step;
  const { paths } = ground.node;
  const subject = `backup ${record.underWay?.id ?? record.proven?.id}`;
  const remedy = async (host: Host) => {
    const result = await host
      .perform({ trace, what, subject: `${subject}: ${what}` }, (signal) => step.work(host, signal))
      .catch((thrown: unknown) => failed(host, ground, { step, record }, thrown));
    await writeRecord(host, paths, step.noted(result));
    for (const path of superfluous) {
      await host.remove(path);
    }
  };
  const changes = [{ field: subject, observed: 'not done', desired: what }];
  return {
    state: 'Drifted',
    drift: { changes, summary: what, partial: true, blocks: false, due: true, remedy },
  };
}

/** The reasons for which a backup that is under way is given up. After any other failure, its step is tried again. */
const final: readonly string[] = ['BackupNotProven', 'StoreConflict'];

async function failed(
  host: Host,
  { node }: BackupGround,
  { step: { failing, isTransfer }, record }: { readonly step: Step; readonly record: BackupRecord },
  thrown: unknown,
): Promise<never> {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
  if (failing) {
    await writeRecord(host, node.paths, failing);
  }
  if (final.includes(thrown.reason) && record.underWay) {
    const { id } = record.underWay;
    const failed = { id, at: new Date(host.now()).toISOString(), why: thrown.message };
    await writeRecord(host, node.paths, { ...withoutUnderWay(record), failed });
    await host.remove(backupFiles(node.paths).folder);
  }
  throw isTransfer ? rarely(thrown) : thrown.nonBlocking();
}

/** The longest wait before a transfer is repeated, in milliseconds: it may move gigabytes. */
const longestWait = 3_600_000;

/** Returns the error of a transfer without effect on other Resources. Time ends it after ever longer waits. */
function rarely({ reason, message, endedBy, retry, cause }: NodeError): NodeError {
  const longest = endedBy === 'time' ? { longest: longestWait } : {};
  return new NodeError(reason, message, { blocks: false, endedBy, retry: { ...longest, ...retry }, cause });
}
