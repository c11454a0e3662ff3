import { dirname, join } from 'node:path';
import type { HostReader } from '../../../engine/host.ts';
import { unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { showUnit } from '../../../resources/unit.ts';
import { type DatastoreKind, datastoreKind, datastoreKinds } from '../datastore/datastore-kind.ts';
import { presentFlags } from '../flags/start-flags.ts';
import { leadsElsewhere } from '../teardown/mounts.ts';
import { restoreRefused } from './restore-refused.ts';
import { replacedPaths, restoreUnderWay } from './restore-state.ts';

/**
 * Throws `RestoreRefused` for a machine without a K3s server whose datastore is of the kind of the copy, for a folder
 * that cannot be moved aside, and for flags of K3s that a reset of etcd would lack.
 */
export async function requireServer(
  host: HostReader,
  paths: NodePaths,
  { datastore }: { readonly datastore: string },
): Promise<void> {
  await requireUnit(host, paths);
  requireKind(await kindOnServer(host, paths), datastore);
  await requireMovable(host, paths, datastore);
  if (datastore === 'etcd') {
    await requirePlainFlags(host, paths);
  }
}

/** Returns the kind of the datastore of this server, even in the middle of a restore. */
export async function kindOnServer(host: HostReader, paths: NodePaths): Promise<DatastoreKind> {
  return (await restoreUnderWay(host, paths))?.datastore ?? datastoreKind(host, paths);
}

async function requireUnit(host: HostReader, paths: NodePaths): Promise<void> {
  const unit = join(paths.system.units, unitName('server'));
  if ((await host.stat(unit)) === undefined) {
    throw restoreRefused(
      `this machine has no K3s server (${unit} is missing). Run the command on the server whose datastore was copied`,
    );
  }
  const { FragmentPath } = await showUnit(host, unitName('server'), ['FragmentPath']);
  if (!FragmentPath.startsWith(join(paths.root, '/'))) {
    throw restoreRefused(
      `systemd runs another unit, "${FragmentPath}", in place of ${unit}. Run systemctl daemon-reload`,
    );
  }
}

function requireKind(kind: DatastoreKind, ofCopy: string): void {
  if (kind === ofCopy) {
    return;
  }
  const named = ofCopy === 'etcd' ? datastoreKinds.etcd : datastoreKinds.sqlite;
  const repair =
    kind === 'external'
      ? 'Restore it with the tools of the database'
      : `Choose a copy of ${datastoreKinds[kind]}, or set k3s.datastore: ${ofCopy} on a new VM`;
  throw restoreRefused(
    `this server keeps its datastore in ${datastoreKinds[kind]}, and the copy is of ${named}. ${repair}`,
  );
}

async function requireMovable(host: HostReader, paths: NodePaths, datastore: string): Promise<void> {
  for (const path of replacedPaths(paths, { datastore })) {
    if (await leadsElsewhere(host, path, paths.root)) {
      throw restoreRefused(
        `${path} is a link or a mount of its own, and cannot be moved aside with its content. Move its content into a plain folder ` +
          'while K3s is stopped',
      );
    }
  }
}

/** Checks that every flag of K3s is in its configuration, which is all that `k3s server --cluster-reset` reads. */
async function requirePlainFlags(host: HostReader, paths: NodePaths): Promise<void> {
  const { config } = paths.k3s;
  const flags = await presentFlags(host, { kind: 'server', paths });
  const outside = flags.find(({ path }) => path !== config && dirname(path) !== `${config}.d`);
  if (outside !== undefined) {
    throw restoreRefused(
      `K3s has the flag ${outside.name} from ${outside.path}, which it would lack during the restore. Move it to a file in ${config}.d`,
    );
  }
  const joining = flags.find(({ name, path }) => name === 'server' && path !== config);
  if (joining !== undefined) {
    throw restoreRefused(
      `${joining.path} lets this server join another one (server), and K3s then restores nothing. Take that line away`,
    );
  }
}
