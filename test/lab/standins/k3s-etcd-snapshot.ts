/**
 * The snapshots of a server's etcd: POST /db/snapshot.
 *
 * Models pkg/etcd/snapshot_handler.go (operations, answers, errors with an ID), pkg/etcd/snapshot.go (names of files,
 * one save at a time, not on a learner, `save` never prunes) and the ETCDSnapshotFile objects, of which a request for
 * another folder forgets those of the usual one (reconcileSnapshotData). etcdctl writes the real snapshot. Not
 * modelled: S3, compression, the schedule.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { Etcd } from './k3s-etcd-client.ts';
import type { EtcdPlace } from './k3s-etcd-process.ts';
import { log } from './k3s-log.ts';
import type { ApiObject } from './k3s-objects.ts';
import type { Replica } from './k3s-replica.ts';
import { json, type Reply, status } from './k3s-reply.ts';
import { passwordOf } from './k3s-server-token.ts';
import type { StartingServer } from './k3s-shared.ts';

/** The etcd of a running server, with the objects of its cluster. */
export interface SnapshotSource {
  readonly etcd: Etcd | undefined;
  readonly objects: Replica | undefined;
  readonly server: StartingServer;
  readonly place: EtcdPlace;
}

interface SnapshotRequest {
  readonly operation: string;
  readonly name?: readonly string[];
  readonly dir?: string;
  readonly compress?: boolean;
  readonly retention?: number;
}

const files = 'etcdsnapshotfiles.k3s.cattle.io';
const run = promisify(execFile);
let isSaving = false;

/** Answers a request for snapshots. */
export async function answerSnapshots(source: SnapshotSource, method: string, body: string): Promise<Reply> {
  if (method !== 'POST') {
    return failure(`${method} is not supported on resources of kind "snapshot"`);
  }
  const request: SnapshotRequest = JSON.parse(body);
  const work = operations[request.operation];
  if (work === undefined) {
    return failure('invalid snapshot operation', 400);
  }
  return work(source, request).catch((error) =>
    failure(error instanceof Error ? error.message : String(error)),
  );
}

type Operation = (source: SnapshotSource, request: SnapshotRequest) => Promise<Reply>;

const operations: Readonly<Record<string, Operation>> = {
  save: async (source, request) => json(200, { created: [await save(source, request)] }),
  list: async (source, request) =>
    json(200, {
      kind: 'ETCDSnapshotFileList',
      apiVersion: 'k3s.cattle.io/v1',
      metadata: {},
      items: namesIn(folderOf(source, request)).map((name) => fileObject(source, request, name)),
    }),
  async delete(source, request) {
    if (request.name?.some((name) => basename(name) !== name)) {
      return status(400, 'BadRequest', 'invalid snapshot name: path traversal not allowed');
    }
    const there = namesIn(folderOf(source, request));
    return json(200, removed(source, request, request.name?.filter((name) => there.includes(name)) ?? []));
  },
  async prune(source, request) {
    const prefix = `${request.name?.[0] ?? 'on-demand'}-${source.server.node.nodeName}-`;
    const own = namesIn(folderOf(source, request)).filter((name) => name.startsWith(prefix));
    const retention = request.retention ?? 5;
    return json(
      200,
      removed(source, request, retention < 1 ? [] : own.slice(0, Math.max(0, own.length - retention))),
    );
  },
};

async function save(source: SnapshotSource, request: SnapshotRequest): Promise<string> {
  if (isSaving) {
    throw new Error('snapshot save already in progress');
  }
  if (request.compress) {
    throw new Error('the compression of snapshots is not modelled');
  }
  isSaving = true;
  try {
    if (source.etcd === undefined || (await source.etcd.status()).isLearner) {
      throw new Error('Unable to take snapshot: not supported for learner');
    }
    const name = `${request.name?.[0] ?? 'on-demand'}-${source.server.node.nodeName}-${Math.floor(Date.now() / 1000)}`;
    const path = join(folderOf(source, request), name);
    mkdirSync(folderOf(source, request), { recursive: true, mode: 0o700 });
    log('info', `Saving etcd snapshot to ${path}`);
    const env = { ...process.env, ETCDCTL_API: '3' };
    await run('etcdctl', ['--endpoints', source.place.urls.client, 'snapshot', 'save', path], { env });
    source.objects?.put(files, undefined, fileObject(source, request, name));
    reconcile(source, request);
    return name;
  } finally {
    isSaving = false;
  }
}

function removed(source: SnapshotSource, request: SnapshotRequest, names: readonly string[]) {
  for (const name of names) {
    const { metadata } = fileObject(source, request, name);
    rmSync(join(folderOf(source, request), name));
    source.objects?.remove(files, undefined, metadata.name);
  }
  reconcile(source, request);
  return names.length === 0 ? {} : { deleted: names };
}

/** Makes the objects of this node those of the files in the folder of the request (reconcileSnapshotData). */
function reconcile(source: SnapshotSource, request: SnapshotRequest): void {
  const found = namesIn(folderOf(source, request)).map((name) => fileObject(source, request, name));
  const names = found.map(({ metadata }) => metadata.name);
  for (const { metadata } of source.objects?.list(files) ?? []) {
    const isOfNode = Object.values(metadata.labels ?? {}).includes(source.server.node.nodeName);
    if (isOfNode && !names.includes(metadata.name)) {
      source.objects?.remove(files, undefined, metadata.name);
    }
  }
}

function folderOf({ server }: SnapshotSource, { dir }: SnapshotRequest): string {
  return dir || server.options.text('etcd-snapshot-dir') || join(server.directory, 'db/snapshots');
}

function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** Returns the object that describes a snapshot file (k3s-io/api, ETCDSnapshotFile). */
function fileObject(source: SnapshotSource, request: SnapshotRequest, name: string): ApiObject {
  const path = join(folderOf(source, request), name);
  const { size, mtime } = statSync(path);
  const location = `file://${path}`;
  const hash = (text: string, length: number) =>
    createHash('sha256').update(text).digest('hex').slice(0, length);
  const { nodeName } = source.server.node;
  return {
    apiVersion: 'k3s.cattle.io/v1',
    kind: 'ETCDSnapshotFile',
    metadata: {
      name: `local-${name}-${hash(location, 6)}`,
      labels: { 'etcd.k3s.cattle.io/snapshot-storage-node': nodeName },
      annotations: {
        'etcd.k3s.cattle.io/snapshot-token-hash': hash(passwordOf(source.server), 12),
      },
    },
    spec: { snapshotName: name, nodeName, location },
    status: {
      size: String(size),
      creationTime: mtime.toISOString().replace(/\.\d+Z$/, 'Z'),
      readyToUse: true,
    },
  };
}

/** Logs an error, and answers with the ID under which the log has it (pkg/util, SendErrorWithID). */
function failure(why: string, code: 400 | 500 = 500): Reply {
  const id = `${Math.floor(Math.random() * 90_000) + 10_000}`;
  log('error', `etcd-snapshot error ID ${id}: ${why}`);
  return status(code, code === 500 ? 'InternalError' : 'BadRequest', `etcd-snapshot error ID ${id}`);
}
