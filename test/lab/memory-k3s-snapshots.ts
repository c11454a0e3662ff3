/**
 * The snapshots of a K3s server with embedded etcd, on a MemoryHost: POST /db/snapshot and GET /db/info.
 *
 * Models pkg/etcd/snapshot_handler.go and pkg/etcd/snapshot.go (names, one save at a time, errors with an ID, whose
 * words only the log has) and pkg/etcd/etcd.go (who may ask, infoHandler).
 */
import { join } from 'node:path';
import type { HttpResponse } from '../../src/agent/engine/host.ts';
import { reveal } from '../../src/agent/engine/secret.ts';
import { basicAuth } from '../../src/agent/parts/k3s/membership/token.ts';
import type { NodePaths } from '../../src/agent/paths.ts';
import type { MemoryHost } from './memory-host.ts';
import { snapshotText } from './memory-snapshots.ts';

/** The etcd of a server in memory. A test may change every field. */
export interface MemoryEtcd {
  /** The revisions of the keys, as in `snapshotText`. */
  revisions: readonly string[];
  /** The folder of the snapshots. */
  folder: string;
  /** The password of the server token that K3s accepts. */
  password: string;
  /** The members of etcd; the first one is this server. */
  members: readonly { readonly name: string; readonly isLearner?: boolean }[];
  /** The number of requests during which K3s saves another snapshot. */
  busy: number;
  /** Why K3s fails to save a snapshot, as its log has it. */
  fault: string | undefined;
  /** What becomes of a snapshot on its way to the disk. */
  written: (text: string) => string;
  /** The free bytes of each file system. */
  free: number;
}

/** Gives a machine the etcd of a server with this node name, on which K3s answers. */
export function memoryEtcd(host: MemoryHost, { k3s }: NodePaths, nodeName: string): MemoryEtcd {
  const etcd: MemoryEtcd = {
    revisions: [],
    folder: join(k3s.datastore, 'snapshots'),
    password: '',
    members: [{ name: `${nodeName}-0a1b2c3d` }],
    busy: 0,
    fault: undefined,
    written: (text) => text,
    free: 2 ** 40,
  };
  host.files.write(join(k3s.datastore, 'etcd/name'), `${nodeName}-0a1b2c3d`, 0o600);
  const log = join(k3s.datastore, 'etcd/member/wal');
  if (host.files.stat(log) === undefined) {
    host.files.write(log, '', 0o600);
  }
  host.files.write(join(k3s.datastore, 'etcd/member/snap/db'), 'x'.repeat(1_000), 0o600);
  let journal = '';
  host
    .on({ file: 'stat', args: /^--file-system --format=%a/ }, () => `${Math.floor(etcd.free / 4096)} 4096\n`)
    .on({ file: 'journalctl', args: /^-u k3s\.service -o cat -n 200/ }, () => journal)
    .onGet('https://127.0.0.1:6443/db/info', () => JSON.stringify({ members: etcd.members }))
    .onRequest({ method: 'POST', url: 'https://127.0.0.1:6443/db/snapshot' }, ({ headers, body }) => {
      if (`${reveal(headers?.authorization ?? '')}` !== basicAuth('server', etcd.password).reveal()) {
        return { status: 401, body: 'Unauthorized' };
      }
      const answered = answer(host, etcd, nodeName, JSON.parse(reveal(body ?? '')));
      journal += answered.logged;
      return answered;
    });
  return etcd;
}

interface Answered extends Pick<HttpResponse, 'status' | 'body'> {
  readonly logged: string;
}

function answer(
  host: MemoryHost,
  etcd: MemoryEtcd,
  nodeName: string,
  request: { readonly operation: string; readonly name?: readonly string[] },
): Answered {
  const names = host.files.list(etcd.folder);
  switch (request.operation) {
    case 'list':
      return ok({ items: names.map((name) => itemOf(etcd, name)) });
    case 'delete': {
      const deleted = names.filter((name) => request.name?.includes(name));
      for (const name of deleted) {
        host.files.remove(join(etcd.folder, name));
      }
      return ok({ deleted });
    }
    default:
      return saved(host, etcd, `${request.name?.[0]}-${nodeName}-${Math.round(host.now() / 1_000)}`);
  }
}

function saved(host: MemoryHost, etcd: MemoryEtcd, name: string): Answered {
  if (etcd.busy > 0) {
    etcd.busy -= 1;
    return refused('snapshot save already in progress');
  }
  if (etcd.members[0]?.isLearner) {
    const { logged, ...answer } = refused('<nil>');
    return {
      ...answer,
      logged: `level=warning msg="Unable to take snapshot: not supported for learner"\n${logged}`,
    };
  }
  if (etcd.fault !== undefined) {
    return {
      ...ok({ deleted: [] }),
      logged: `level=error msg="Failed to take etcd snapshot: ${etcd.fault}"\n`,
    };
  }
  host.files.write(join(etcd.folder, name), etcd.written(snapshotText(etcd.revisions)), 0o600);
  return ok({ created: [name] });
}

function itemOf({ folder }: MemoryEtcd, name: string) {
  return { spec: { snapshotName: name, nodeName: 'vm', location: `file://${join(folder, name)}` } };
}

function ok(body: object): Answered {
  return { status: 200, body: JSON.stringify(body), logged: '' };
}

function refused(why: string): Answered {
  return {
    status: 500,
    body: JSON.stringify({ message: 'etcd-snapshot error ID 04711' }),
    logged: `level=error msg="etcd-snapshot error ID 04711: ${why}"\n`,
  };
}

/** Returns the operations of the requests about snapshots that a machine has sent so far. */
export function snapshotRequests(host: MemoryHost): readonly string[] {
  return host.lines().filter((line) => line.includes('/db/snapshot'));
}
