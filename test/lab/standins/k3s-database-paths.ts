/**
 * The paths of a shared datastore on the port of the supervisor, and its errors in the answers of the API.
 *
 * Models pkg/etcd/etcd.go (who may read /db/info), pkg/server/handlers (a server without etcd answers 400) and
 * k8s.io/apiserver pkg/server/healthz.
 */
import type { IncomingMessage } from 'node:http';
import type { User } from './k3s-admission.ts';
import { type Reply, status } from './k3s-reply.ts';
import type { SharedDatastore } from './k3s-shared.ts';

/** Answers a path of the datastore; `undefined` without the right to it. A server with SQLite has none of them. */
export async function askDatabase(
  shared: SharedDatastore | undefined,
  request: IncomingMessage,
  pathname: string,
  user: User | undefined,
  body: string,
): Promise<Reply | undefined> {
  if (shared === undefined) {
    return pathname.startsWith('/db/') ? status(400, 'BadRequest', 'etcd datastore disabled') : undefined;
  }
  const { method = 'GET', socket } = request;
  const isLoopback = /^(::ffff:)?127\.|^::1$/.test(socket.remoteAddress ?? '');
  const isServer = user?.groups.includes('k3s:server') ?? false;
  return shared.answer({ method, pathname, body, isLoopback, isServer });
}

/** Answers with the error of the datastore, as the API server does; its health checks name etcd. */
export function storeFailure({ url = '' }: IncomingMessage, error: unknown): Reply {
  if (/^\/(readyz|livez|healthz)/.test(url)) {
    const name = /^\/(\w+)/.exec(url)?.[1];
    return { status: 500, body: `[+]ping ok\n[-]etcd failed: reason withheld\n${name} check failed\n` };
  }
  return status(500, '', error instanceof Error ? error.message : String(error));
}
