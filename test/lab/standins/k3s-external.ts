/**
 * A server whose datastore is an external database.
 *
 * Models pkg/cluster/storage.go and bootstrap.go (storageBootstrap): the bootstrap data comes from the database before
 * the server makes certificates. A server without a token makes its own, and fails when it saves them. Modelled for
 * PostgreSQL only; K3s would use SQLite's or another driver for other endpoints.
 */
import { join } from 'node:path';
import { loadRow, readShared, reconcile, rotateRow, saveRow } from './k3s-bootstrap-data.ts';
import { openKine } from './k3s-kine.ts';
import { fatal, log } from './k3s-log.ts';
import { openReplica } from './k3s-replica.ts';
import { json, status } from './k3s-reply.ts';
import { passwordOf } from './k3s-server-token.ts';
import type { SharedDatastore, StartingServer } from './k3s-shared.ts';

const failed = 'Error: preparing server: failed to bootstrap cluster data';

/** Opens the database, and writes the files that the cluster shares. Exits with K3s's error. */
export async function prepareExternal(server: StartingServer, endpoint: string): Promise<SharedDatastore> {
  const { directory, files } = server;
  if (!/^postgres(ql)?:\/\//.test(endpoint)) {
    fatal(`${failed}: the stand-in has no driver for the datastore-endpoint`);
  }
  const store = await openKine(endpoint).catch((error) =>
    fatal(`${failed}: creating storage endpoint: building kine: ${error.message}`),
  );
  const hasToken = server.token !== undefined || files.read('token') !== undefined;
  const password = passwordOf(server);
  const data = hasToken
    ? await loadRow(store, password).catch((error) => fatal(`${failed}: ${error.message}`))
    : undefined;
  const newer = data === undefined ? [] : reconcile(files, data);
  if (newer.length > 0) {
    fatal(
      `${newer.map((path) => join(directory, path)).join(', ')} newer than datastore and could cause a cluster outage. Remove the file(s) from disk and restart to be recreated from datastore.`,
    );
  }
  let leads = false;
  return {
    password,
    async open() {
      await saveRow(store, password, readShared(files)).catch((error) =>
        fatal(
          `Error: preparing server: failed to start cluster: failed to save bootstrap data: ${error.message}`,
        ),
      );
      log('info', 'Kine available at unix://kine.sock');
      leads = await store.leads();
      setInterval(async () => (leads = await store.leads().catch(() => false)), 1_000);
      return openReplica(store, join(directory, 'db/objects'));
    },
    runControllers: () => undefined,
    leads: () => leads,
    async rotate(next, after) {
      await rotateRow(store, { from: password, to: next }, readShared(files), after);
      return 200;
    },
    async answer({ pathname, isServer }) {
      if (pathname.startsWith('/db/')) {
        return status(400, 'BadRequest', 'etcd datastore disabled');
      }
      return isServer ? json(200, readShared(files)) : undefined;
    },
    etcdUrl: undefined,
    nodeLabels: {},
    nodeAnnotations: {},
  };
}
