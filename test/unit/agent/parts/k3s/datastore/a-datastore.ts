import { sha256 } from '../../../../../../src/agent/engine/digest.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { kineSql } from '../../../../../lab/memory-databases.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { type MemoryEtcd, memoryEtcd } from '../../../../../lab/memory-k3s-snapshots.ts';

export const paths = nodePaths('/');
export const password = 'swordfish';
/** The digest under which K3s keeps the bootstrap data of this password. */
export const token = sha256(password).slice(0, 12);
export const ca = 'the CA of the cluster\n';
export const database = '/var/lib/rancher/k3s/server/db/state.db';

/** Returns the SQL of a datastore with three objects and the bootstrap data of a token. */
export function datastoreSql(digest = token): string {
  return kineSql([
    `/bootstrap/${digest}`,
    ...['namespaces/default', 'nodes/vm-1', 'pods/default/web'].map((name) => `/registry/${name}`),
  ]);
}

/** A unit of systemd, as `systemctl show` reports it. */
export interface Unit {
  ActiveState: string;
  UnitFileState: string;
  InvocationID: string;
  Job: string;
}

/** Returns a server with a SQLite datastore, on which K3s is up; `unit` is the state of its unit. */
export function aServer(unit: Partial<Unit> = {}): { readonly host: MemoryHost; readonly unit: Unit } {
  const shown = {
    ActiveState: 'active',
    UnitFileState: 'enabled',
    InvocationID: 'start-1',
    Job: '',
    ...unit,
  };
  const host = memoryHost({
    files: {
      [database]: { content: datastoreSql(), mode: 0o600 },
      [paths.k3s.serverCa]: ca,
      [paths.k3s.serverToken]: `K10${sha256(ca)}::server:${password}\n`,
      [paths.slipway.joinToken]: { content: `${password}\n`, mode: 0o600 },
      '/etc/systemd/system/k3s.service': 'ExecStart=/usr/local/bin/k3s server\n',
    },
    now: Date.UTC(2026, 10, 30, 12),
  }).on({ file: 'systemctl', args: /^show k3s\.service/ }, () =>
    Object.entries({ FragmentPath: '/etc/systemd/system/k3s.service', ...shown })
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  return { host, unit: shown };
}

/** Returns a server named vm-1 with embedded etcd, with three objects, on which K3s is up. */
export function anEtcdServer(
  state: Partial<Unit> = {},
): ReturnType<typeof aServer> & { readonly etcd: MemoryEtcd } {
  const { host, unit } = aServer(state);
  host.files.remove(database);
  const etcd = memoryEtcd(host, paths, 'vm-1');
  etcd.password = password;
  etcd.revisions = [`/bootstrap/${token}`, '/registry/nodes/vm-1', '/registry/pods/a', '/registry/pods/b'];
  host.files.write(`${etcd.folder}/etcd-snapshot-vm-1-1796040000`, 'of K3s itself', 0o600);
  return { host, unit, etcd };
}
