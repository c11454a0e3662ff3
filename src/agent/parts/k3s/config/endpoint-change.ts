import { join } from 'node:path';
import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import { advisory } from '../../../engine/severity.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { unless } from '../../../resources/combinators.ts';
import { removed } from '../../../resources/removed.ts';
import { consentAdvice, isConsented } from '../../../settings/consents.ts';
import { sqlitePath } from '../datastore/datastore-kind.ts';
import { guardedEndpoint, isFormerEndpoint } from '../flags/guarded-keys.ts';
import { joinedCluster } from '../membership/joined-cluster.ts';
import { startedEndpoint, startedWith } from './started-with.ts';

const key = 'datastore-endpoint';

/** True for a server that stores its cluster in an external datastore. */
export function hasExternalDatastore({ role, settings }: Pick<K3sNode, 'role' | 'settings'>): boolean {
  return isServer({ role }) && settings.k3s.datastore === 'external';
}

/**
 * Throws `SettingsIrreversible` if a K3s that has a cluster would find another one, or none, at this endpoint. With
 * consent to its digest, the endpoint may name another place, such as a database that was moved.
 */
export async function requireSameCluster(host: HostReader, node: K3sNode, endpoint: string): Promise<void> {
  if (!(await joinedCluster(host, node))) {
    return;
  }
  const started = await startedWith(host, node.paths);
  const known = started && startedEndpoint(started);
  const wanted = guardedEndpoint(endpoint);
  if (known === wanted || isFormerEndpoint(known, endpoint)) {
    return;
  }
  if (known) {
    requireConsent(node, wanted, known);
  } else if (await hasOwnDatastore(host, node)) {
    throw irreversible(
      'The settings name an external datastore, but K3s has its cluster on the disk of this server, and Slipway does not ' +
        'move it. Set k3s.datastore to its former value.',
    );
  }
}

function requireConsent({ settings }: K3sNode, wanted: string, observed: string): void {
  const subject = `${key}=${wanted}`;
  if (isConsented(settings, 'settings', subject)) {
    return;
  }
  throw irreversible(
    `The secret ${settings.datastore.secretName} names another database (${wanted}) than the one with the cluster of this server ` +
      `(${observed}), so K3s would begin an empty cluster. The server keeps its endpoint. Put the old one back, or, once the ` +
      `new database has the data of the cluster, ${consentAdvice(settings, 'settings', subject)}.`,
  );
}

async function hasOwnDatastore(host: HostReader, { paths }: K3sNode): Promise<boolean> {
  const places = [sqlitePath(paths), join(paths.k3s.datastore, 'etcd/member')];
  const found = await Promise.all(places.map((path) => host.stat(path)));
  return found.some((each) => each !== undefined);
}

/**
 * Removes the drop-in with the endpoint from a node without an external datastore. On a server whose cluster is in an
 * external datastore, throws `SettingsIrreversible` instead, because K3s would begin an empty cluster.
 */
export function endpointLeft(node: K3sNode, needs: readonly string[]): Resource {
  const path = node.paths.k3s.datastoreEndpoint;
  return unless(removed({ path, condition: 'K3sConfig', needs }), async (host) => {
    const isKept =
      isServer(node) && (await host.stat(path)) !== undefined && (await joinedCluster(host, node));
    if (isKept) {
      throw irreversible(
        `The cluster of this server is in an external datastore (${path}), and Slipway does not move it. Set k3s.datastore to ` +
          'external again.',
      );
    }
    return undefined;
  });
}

function irreversible(message: string): NodeError {
  return new NodeError('SettingsIrreversible', message, advisory);
}
