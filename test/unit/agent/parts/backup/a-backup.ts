import { sha256 } from '../../../../../src/agent/engine/digest.ts';
import type { Resource } from '../../../../../src/agent/engine/resource.ts';
import { backupMade } from '../../../../../src/agent/parts/backup/made.ts';
import type { BackupPorts } from '../../../../../src/agent/parts/backup/ports.ts';
import { readRecord } from '../../../../../src/agent/parts/backup/record.ts';
import type { ObjectStore } from '../../../../../src/agent/stores/store.ts';
import type { MemoryHost } from '../../../../lab/memory-host.ts';
import { MemoryStore } from '../../../../lab/memory-store.ts';
import { aNode, settle } from '../../a-node.ts';
import { aServer, ca, paths, type Unit } from '../k3s/datastore/a-datastore.ts';

export const hour = 3_600_000;
export const to = '/mnt/backup';
export const cluster = sha256(ca).slice(0, 12);

/** A server with a store for its backups, and the Resource that makes them every six hours. */
export interface World {
  readonly host: MemoryHost;
  readonly unit: Unit;
  readonly store: MemoryStore;
  readonly resource: Resource;
  /** Lets the Resource work until it has nothing to do, and returns its outcomes. */
  run(): Promise<readonly string[]>;
}

export interface WorldOptions {
  readonly retention?: number;
  readonly unit?: Partial<Unit>;
  /** The store on a machine; by default the one in memory. */
  readonly storeOn?: (host: MemoryHost) => ObjectStore;
}

/** Returns a server that backs up its SQLite datastore. */
export function world({ retention = 28, unit: state = {}, storeOn }: WorldOptions = {}): World {
  const { host, unit } = aServer(state);
  host.on({ file: 'k3s', args: ['--version'] }, 'k3s version v1.36.3+k3s1 (1a2b3c4d)\n');
  const store = new MemoryStore();
  const ports: BackupPorts = {
    store: () => storeOn?.(host) ?? store.storeOn(host),
    vault: { secretVersion: async () => 'version-7' },
    next: (after) => (Math.floor(after / (6 * hour)) + 1) * 6 * hour,
    slipway: '1.2.3',
  };
  const node = aNode('server', { settings: { backup: { to, retention } } });
  const resource = backupMade(node, to, ports, []);
  return { host, unit, store, resource, run: () => settle(resource, host, 12) };
}

/** Returns what the server remembers of its backups. */
export function recordOf({ host }: World) {
  return readRecord(host, paths, to);
}
