import { NodeError } from '../../engine/errors.ts';
import type { Host, HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource, step, waiting } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import { type K3sNode, unitName } from '../../node.ts';
import { neverBlocking } from '../../resources/combinators.ts';
import { showUnit } from '../../resources/unit.ts';
import { consentAdvice, isConsented } from '../../settings/consents.ts';
import { sqlitePath } from './datastore/datastore-kind.ts';
import { clusterOnDisk } from './membership/founding/disk.ts';
import { incompleteAside } from './membership/founding/incomplete-etcd.ts';
import { type FoundingRecord, readFounding, writeFounding } from './membership/founding/record.ts';
import { isOpen, readRotation } from './membership/rotation-record.ts';
import { serverHealth } from './server-health.ts';
import { stopK3s } from './service/stop-k3s.ts';
import type { CopyStep } from './upgrade/copied.ts';
import { readUpgrade } from './upgrade/record.ts';
import { soundVersion } from './upgrade/release.ts';

/** What consent.settings names to let a server move from SQLite to etcd. */
const subject = 'datastore=etcd';

/** What the move needs besides the machine. */
export interface MigrationPorts {
  readonly copy: CopyStep;
  /** Returns the wait for the end of a hold of the node; `undefined` without a hold. */
  held(host: HostReader, node: K3sNode): Promise<Finding | undefined>;
}

/**
 * Moves a server from SQLite to embedded etcd, with consent, in steps that each leave a trace: a proven copy of SQLite;
 * the record, after which config.yaml has cluster-init and K3s restarts in the turn of the node; K3s itself copies
 * every key and renames state.db (pkg/etcd/etcd.go, migrateFromSQLite); the record that the server is a member, once it
 * is healthy.
 *
 * If K3s has left both databases behind, its copy is not complete: moves etcd aside, so that the next start copies
 * again. Throws `DatastoreKept` without consent. Never blocks, since the server runs with either datastore. On a held
 * node, only drops the move if the consent was taken back, and records its end.
 */
export function etcdMigration(node: K3sNode, ports: MigrationPorts, needs: readonly string[]): Resource {
  return neverBlocking({
    id: 'Datastore/migration',
    summary: 'move the datastore from SQLite to etcd',
    condition: 'K3sConfig',
    isQuiet: true,
    needs,
    async check(host) {
      const record = await readFounding(host, node.paths);
      switch (await clusterOnDisk(host, node.paths)) {
        case 'etcd':
          return record?.state === 'migrates' ? moved(host, node, ports) : inSync();
        case 'sqlite':
          return toMove(host, node, record, ports);
        default:
          return inSync();
      }
    },
  });
}

/** Returns the next step before the restart of K3s. */
async function toMove(
  host: HostReader,
  node: K3sNode,
  record: FoundingRecord | undefined,
  { copy, held }: MigrationPorts,
): Promise<Finding> {
  const isBegun = record?.state === 'migrates';
  if (!isConsented(node.settings, 'settings', subject)) {
    if (isBegun) {
      return step(change('etcd', 'SQLite'), (changing) => changing.remove(node.paths.slipway.founding), {
        summary: 'drop the move to etcd',
      });
    }
    throw datastoreKept(node);
  }
  const hold = await held(host, node);
  if (hold !== undefined) {
    return hold;
  }
  const rotation = await readRotation(host, node.paths);
  if ((await readUpgrade(host, node.paths))?.state === 'begun' || (rotation && isOpen(rotation))) {
    return waiting(
      'Upgrading',
      'the move to etcd waits for the end of an upgrade or a rotation of the token',
    );
  }
  const version = (await soundVersion(host, node.paths.k3s.binary)) ?? node.version;
  // The copy is made anew every hour until K3s restarts, because the turn of the node may come late.
  const copied = await copy(host, node, { reason: 'move to etcd', version });
  if (copied !== undefined || isBegun) {
    return (
      copied ?? inSync({ message: 'K3s moves from SQLite to etcd when it restarts in the turn of this node' })
    );
  }
  return step(
    change('SQLite', 'etcd'),
    (changing) => writeFounding(changing, node.paths, { state: 'migrates', at: changing.now() }),
    { summary: 'begin the move from SQLite to etcd' },
  );
}

/** Returns the next step after K3s has begun to copy. */
async function moved(host: HostReader, node: K3sNode, { held }: MigrationPorts): Promise<Finding> {
  const { ActiveState, NRestarts } = await showUnit(host, unitName('server'), ['ActiveState', 'NRestarts']);
  const isUp = ActiveState === 'active';
  if ((await host.stat(sqlitePath(node.paths))) !== undefined) {
    return isUp || Number(NRestarts) > 0
      ? ((await held(host, node)) ?? again(node))
      : waiting('ServiceStarting', 'K3s copies SQLite into etcd');
  }
  const lack = isUp ? await serverHealth(host, node).catch(toldError) : 'K3s is not up yet';
  if (lack !== undefined) {
    return waiting('ServiceStarting', `the move to etcd is complete once this server is healthy: ${lack}`);
  }
  return step(
    change('copied', 'in use'),
    (changing) => writeFounding(changing, node.paths, { state: 'member', at: changing.now() }),
    { summary: 'end the move from SQLite to etcd' },
  );
}

/** Returns the step that stops K3s before it moves the incomplete etcd aside. */
function again(node: K3sNode): Finding {
  const remedy = async (host: Host) => {
    await stopK3s(host, node);
    await incompleteAside(host, node.paths);
  };
  return step(change('incomplete', 'complete'), remedy, {
    summary: 'stop K3s, and let it copy SQLite into etcd again',
  });
}

function toldError(thrown: unknown): string {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
  return thrown.message;
}

function change(observed: string, desired: string) {
  return { field: 'datastore', observed, desired };
}

function datastoreKept({ settings }: K3sNode): NodeError {
  return new NodeError(
    'DatastoreKept',
    'The settings want etcd, and this server runs with SQLite, which it keeps. To move the cluster to etcd, which restarts ' +
      `K3s once in the turn of this node and has no way back but a copy, ${consentAdvice(settings, 'settings', subject)}; ` +
      'otherwise set k3s.datastore: sqlite.',
    advisory,
  );
}
