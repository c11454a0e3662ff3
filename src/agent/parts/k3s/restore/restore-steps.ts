import { join } from 'node:path';
import type { HostReader } from '../../../engine/host.ts';
import { compare, inSync, type Resource } from '../../../engine/resource.ts';
import { unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { unless } from '../../../resources/combinators.ts';
import { unitsStopped } from '../../../resources/units-stopped.ts';
import { sqlitePath } from '../datastore/datastore-kind.ts';
import { kineQueries } from '../datastore/kine.ts';
import { joinsNoServer } from './etcd-membership.ts';
import { etcdReset, longestReset, resetUnits } from './etcd-reset.ts';
import { formerRelease } from './former-release.ts';
import { formerToken } from './former-token.ts';
import type { RestorableCopy } from './judge-copy.ts';
import { type ChangingStep, keepingFiles } from './kept-files.ts';
import { type OtherServers, othersOff } from './other-servers.ts';
import {
  asidePath,
  isPlaced,
  noteRestore,
  type Restore,
  replacedPaths,
  restoreUnderWay,
  stagedFolder,
} from './restore-state.ts';

const condition = 'K3sRunning';
const gigabyte = 1024 ** 3;

/**
 * Replaces the datastore of a server with a copy, in steps that a second run continues after a crash:
 *
 * - Prepares a SQLite datastore beside the present one, while K3s still runs.
 * - Notes the restore. From then on the daemon leaves K3s alone.
 * - Stops and disables K3s, so that a reboot in the middle does not start it. Containers continue to run.
 * - Waits if another server of the cluster answers.
 * - Puts the token of the copy back, if a rotation is under way.
 * - Puts the kept executable of the release that wrote the copy back, if K3s was upgraded since.
 * - Moves the datastore aside, with what K3s would refuse as newer than the copy. Copies the own etcd of this server
 *   instead, if K3s goes on with it.
 * - Puts the prepared datastore in place, or lets K3s make a cluster of the snapshot of etcd.
 */
export function datastoreReplaced(
  paths: NodePaths,
  restore: Restore,
  { bytes, k3s, isKept, token, isRotating }: RestorableCopy,
  servers: OtherServers,
): readonly Resource[] {
  const untilPlaced = (resource: Resource) =>
    unless(resource, async (host) => ((await isPlaced(host, paths, restore)) ? inSync() : undefined));
  const isEtcd = restore.datastore === 'etcd';
  const prepared = isEtcd ? [] : [untilPlaced(datastorePrepared(paths, restore, bytes))];
  const noted = restoreNoted(
    paths,
    restore,
    prepared.map(({ id }) => id),
  );
  const stopped = untilPlaced(k3sDown(paths, isEtcd ? resetUnits(paths) : [], [noted.id]));
  const alone = untilPlaced(othersOff(servers, [stopped.id]));
  const keeping = (resource: Resource, step: ChangingStep) =>
    untilPlaced(keepingFiles(resource, paths, restore, step));
  const rotated = isRotating ? [keeping(formerToken(paths, token, [alone.id]), 'token')] : [];
  const aside = restore.isOwn
    ? [untilPlaced(copiedAside(restore, [alone.id]))]
    : replacedPaths(paths, restore).map((path) => untilPlaced(movedAsideFor(path, restore, [alone.id])));
  const release = isKept ? formerRelease(paths, k3s, restore, [alone.id]).map(untilPlaced) : [];
  const membership = isEtcd ? [keeping(joinsNoServer(paths, [alone.id]), 'membership')] : [];
  const before = [stopped, alone, ...rotated, ...release, ...aside, ...membership];
  const needs = before.map(({ id }) => id);
  const placed = isEtcd ? etcdReset(paths, restore, needs) : datastorePlaced(paths, restore, needs);
  return [...prepared, noted, ...before, placed];
}

function datastorePrepared(paths: NodePaths, restore: Restore, bytes: number): Resource {
  const to = join(stagedFolder(paths, restore), 'state.db');
  return {
    id: 'Restore/prepared',
    summary: `copy ${restore.from} to ${to}, and read it back`,
    condition,
    async check(host) {
      const copy = { from: restore.from, to, queries: kineQueries, room: 2 * bytes + gigabyte };
      const isThere = (await host.stat(to)) !== undefined;
      return compare({ datastore: isThere }, { datastore: true }, async (host) => {
        await host.copyDatabase(copy);
      });
    },
  };
}

function restoreNoted(paths: NodePaths, restore: Restore, needs: readonly string[]): Resource {
  const path = paths.slipway.restore;
  return {
    id: 'Restore/noted',
    summary: `note in ${path} that a restore is under way`,
    condition,
    needs,
    async check(host) {
      const found = await restoreUnderWay(host, paths);
      return compare({ restore: found?.sha256 }, { restore: restore.sha256 }, (host) =>
        noteRestore(host, paths, restore),
      );
    },
  };
}

function k3sDown({ root }: NodePaths, others: readonly string[], needs: readonly string[]): Resource {
  const unit = unitName('server');
  return unitsStopped({
    id: 'Restore/stopped',
    summary: `stop ${unit}, and keep it from starting at boot; containers continue to run`,
    condition,
    needs,
    units: [unit, ...others],
    root,
    forGood: true,
  });
}

function movedAsideFor(path: string, restore: Restore, needs: readonly string[]): Resource {
  return {
    id: `Restore/aside-${path}`,
    summary: `move ${path} to ${asidePath(path, restore)}`,
    condition,
    needs,
    async check(host) {
      const isThere = (await host.stat(path)) !== undefined;
      return compare({ [path]: isThere }, { [path]: false }, async (host) =>
        host.rename(path, await freePath(host, asidePath(path, restore))),
      );
    },
  };
}

/** Keeps a copy of this server's own etcd, with which K3s goes on. A crash leaves no incomplete copy at its path. */
function copiedAside(restore: Restore, needs: readonly string[]): Resource {
  const { from } = restore;
  const to = asidePath(from, restore);
  const begun = `${to}.part`;
  return {
    id: 'Restore/kept',
    summary: `copy ${from} to ${to}`,
    condition,
    needs,
    async check(host) {
      const isThere = (await host.stat(to)) !== undefined;
      return compare({ [to]: isThere }, { [to]: true }, async (host) => {
        await host.remove(begun);
        await host.run({ file: 'cp', args: ['--archive', '--', from, begun], timeout: longestReset });
        await host.run({ file: 'sync', args: ['--file-system', begun], timeout: longestReset });
        await host.rename(begun, to);
      });
    },
  };
}

/**
 * Returns the path if nothing exists there; otherwise the path with the first free number from 2 on, as in `PATH-2`.
 */
async function freePath(host: HostReader, path: string): Promise<string> {
  let free = path;
  for (let at = 2; (await host.stat(free)) !== undefined; at += 1) {
    free = `${path}-${at}`;
  }
  return free;
}

function datastorePlaced(paths: NodePaths, restore: Restore, needs: readonly string[]): Resource {
  const staged = stagedFolder(paths, restore);
  return {
    id: 'Restore/placed',
    summary: `put the copy in place: ${sqlitePath(paths)}`,
    condition,
    needs,
    async check(host) {
      const isPrepared = (await host.stat(staged)) !== undefined;
      return compare({ 'in place': !isPrepared }, { 'in place': true }, (host) =>
        host.rename(staged, paths.k3s.datastore),
      );
    },
  };
}
