/**
 * The supervisor and a small Kubernetes API on one TLS port.
 *
 * Models pkg/server/handlers/router.go (paths, files for everybody below /static/, roles, 401 "not authorized", 403
 * "forbidden", 503 until the API server is ready) and pkg/nodepassword (one password per node name until the Node is
 * deleted).
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import type { User } from './k3s-admission.ts';
import { type Api, answerApi } from './k3s-api.ts';
import { type Certificate, issue } from './k3s-certificates.ts';
import { consistently } from './k3s-consistent.ts';
import { askDatabase, storeFailure } from './k3s-database-paths.ts';
import { leafValidity } from './k3s-leaves.ts';
import { log } from './k3s-log.ts';
import { hasPassword } from './k3s-node-password.ts';
import type { Objects } from './k3s-objects.ts';
import { json, type Reply, status, unauthorized } from './k3s-reply.ts';
import type { SharedDatastore } from './k3s-shared.ts';

export interface Supervisor extends Omit<Api, 'objects'> {
  /** The objects of the cluster; none until a shared datastore is open. */
  objects: Objects;
  /** The datastore that other servers share; `undefined` for SQLite. */
  readonly shared: SharedDatastore | undefined;
  /** The answer to GET /v1-k3s/config. */
  readonly config: object;
  readonly nodeName: string;
  readonly authority: Certificate;
  /** The folder whose files everybody may read below /static/. */
  readonly staticDir: string;
  readonly clientAuthority: Certificate;
  /** True for a moment after the supervisor begins to listen; meanwhile it answers every request with 503. */
  starting: boolean;
  /** The passwords with which K3s started, the only ones that it accepts. */
  readonly serverPassword: string;
  readonly agentPassword: string;
  /**
   * Stores a new server password for the next start, and a new agent password if the two were equal; returns the
   * status. PUT /v1-k3s/token calls this; `k3s token rotate` sends that request.
   */
  readonly rotateToken: (password: string) => Promise<number>;
}

/** Listens on `addresses` and `port` with a certificate for `hosts`; rejects if the port is taken. */
export function serveSupervisor(
  supervisor: Supervisor,
  { addresses, port }: { readonly addresses: readonly string[]; readonly port: number },
  hosts: readonly string[],
): Promise<readonly Server[]> {
  const validity = leafValidity(supervisor.authority, Date.now());
  const own = issue(supervisor.authority, { commonName: 'k3s', organization: 'k3s', hosts, validity });
  const made = () =>
    createServer(
      {
        cert: own.certificate + supervisor.authority.certificate,
        key: own.key,
        ca: supervisor.clientAuthority.certificate,
        requestCert: true,
        rejectUnauthorized: false,
      },
      async (request, response) => {
        const body = await text(request);
        const reply = await answer(supervisor, request, body).catch((error) => storeFailure(request, error));
        response.writeHead(reply.status, { 'content-type': reply.type ?? 'text/plain', ...reply.headers });
        response.end(reply.body);
      },
    );
  return Promise.all(addresses.map((address) => listening(made(), address, port)));
}

function listening(server: Server, address: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => resolve(server));
  });
}

async function answer(supervisor: Supervisor, request: IncomingMessage, body: string): Promise<Reply> {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'https://localhost');
  // For less than half a second after its start, K3s cannot authenticate any request (seen on a real K3s 1.36).
  if (supervisor.starting) {
    return status(503, 'ServiceUnavailable', 'starting');
  }
  if (pathname === '/ping') {
    return { status: 200, body: 'pong' };
  }
  if (pathname === '/cacerts') {
    return { status: 200, body: supervisor.authority.certificate };
  }
  if (pathname.startsWith('/static/')) {
    return staticFile(supervisor.staticDir, pathname);
  }
  const user = authenticate(supervisor, request);
  const isDatabase = pathname.startsWith('/db/') || pathname === '/v1-k3s/server-bootstrap';
  const found = isDatabase && (await askDatabase(supervisor.shared, request, pathname, user, body));
  if (found) {
    return found;
  }
  if (user === undefined) {
    if (!pathname.startsWith('/v1-k3s/')) {
      return unauthorized;
    }
    if (request.headers.authorization === undefined) {
      return refused(request, 403, 'forbidden');
    }
    log(
      'error',
      `Failed to authenticate request from ${peer(request)}: invalid username/password combination`,
    );
    return refused(request, 401, 'not authorized');
  }
  if (pathname === '/v1-k3s/token') {
    return rotate(supervisor, request, user, body);
  }
  if (pathname.startsWith('/v1-k3s/')) {
    return consistently(supervisor.objects, 'POST', () =>
      supervise(supervisor, request, pathname.slice(8), user),
    );
  }
  const { method = 'GET' } = request;
  const { accept = '*/*', 'content-type': contentType = '' } = request.headers;
  return consistently(supervisor.objects, method, () =>
    answerApi(supervisor, { method, pathname, query, accept, contentType, body }, user),
  );
}

/** Answers with a file as Go's http.FileServer does; folders are not listed. A URL has no `..` left in its path. */
function staticFile(folder: string, pathname: string): Reply {
  try {
    return {
      status: 200,
      body: readFileSync(join(folder, decodeURIComponent(pathname.slice('/static/'.length))), 'utf8'),
    };
  } catch {
    return { status: 404, body: '404 page not found\n' };
  }
}

/** Logs and returns a refusal, as SendError in pkg/util does. */
function refused(request: IncomingMessage, code: 401 | 403, why: string): Reply {
  log('error', `Sending HTTP/1.1 ${code} response to ${peer(request)}: ${why}`);
  return status(code, code === 401 ? 'Unauthorized' : 'Forbidden', why);
}

function peer({ socket }: IncomingMessage): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}

function authenticate(supervisor: Supervisor, request: IncomingMessage): User | undefined {
  const socket = request.socket as TLSSocket;
  if (socket.authorized) {
    const { subject } = socket.getPeerCertificate();
    return { name: String(subject.CN), groups: [String(subject.O)] };
  }
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (basic === undefined) {
    return undefined;
  }
  const [name = '', ...password] = Buffer.from(basic, 'base64').toString().split(':');
  const accounts: Record<string, { password: string; group: string }> = {
    server: { password: supervisor.serverPassword, group: 'k3s:server' },
    node: { password: supervisor.agentPassword, group: 'k3s:agent' },
  };
  const account = accounts[name];
  return account?.password === password.join(':') ? { name, groups: [account.group] } : undefined;
}

/** The paths that need the credentials of a server. Without encryption of Secrets, their status never changes. */
const serverPaths = ['encrypt/status', 'server-bootstrap'];

function supervise(supervisor: Supervisor, request: IncomingMessage, path: string, user: User): Reply {
  if (serverPaths.includes(path)) {
    return user.groups.includes('k3s:server')
      ? json(200, { enable: false, stage: 'start', hashmatch: true })
      : refused(request, 403, 'forbidden');
  }
  if (path === 'encrypt/status') {
    return user.groups.includes('k3s:server')
      ? json(200, { enable: Object(supervisor.config).EncryptSecrets === true, stage: 'start' })
      : refused(request, 403, 'forbidden');
  }
  const forAgents = [
    'readyz',
    'config',
    'apiservers',
    'serving-kubelet.crt',
    'client-ca.crt',
    'server-ca.crt',
  ];
  if (!forAgents.includes(path)) {
    return status(404, 'NotFound', 'the server could not find the requested resource');
  }
  if (!user.groups.some((group) => ['k3s:agent', 'system:nodes'].includes(group))) {
    return refused(request, 403, 'forbidden');
  }
  const name = String(request.headers['k3s-node-name'] ?? '').toLowerCase();
  const local = name === supervisor.nodeName;
  if (path === 'client-ca.crt') {
    return { status: 200, body: supervisor.clientAuthority.certificate };
  }
  if (path === 'server-ca.crt') {
    return { status: 200, body: supervisor.authority.certificate };
  }
  // A real K3s 1.36 serves its configuration before its API server is ready.
  if (path === 'config') {
    return json(200, supervisor.config);
  }
  if (!supervisor.apiReady && !local) {
    return status(503, 'ServiceUnavailable', 'runtime core not ready');
  }
  if (path === 'readyz') {
    return { status: 200, body: 'ok' };
  }
  if (path === 'apiservers') {
    return json(200, []);
  }
  return nodeCertificate(supervisor, request, name);
}

async function rotate(
  supervisor: Supervisor,
  request: IncomingMessage,
  user: User,
  body: string,
): Promise<Reply> {
  if (!user.groups.includes('k3s:server')) {
    return status(403, 'Forbidden', 'forbidden');
  }
  if (request.method !== 'PUT') {
    return status(405, 'MethodNotAllowed', 'method not allowed');
  }
  const { newToken } = JSON.parse(body);
  if (typeof newToken !== 'string') {
    return status(400, 'BadRequest', 'new token is required');
  }
  // K3s generates a token if the requested token is empty (pkg/server/handlers/token.go).
  const code = await supervisor.rotateToken(newToken || randomBytes(16).toString('hex'));
  return code === 200 ? { status: 200, body: '' } : status(500, 'InternalError', 'token error ID 13413');
}

function nodeCertificate(supervisor: Supervisor, request: IncomingMessage, name: string): Reply {
  const password = String(request.headers['k3s-node-password'] ?? '');
  if (name === '' || password === '') {
    return status(400, 'BadRequest', 'node name or password not set');
  }
  // A starting server verifies its own node by the file on its disk (pkg/nodepassword, verifyLocalPassword).
  const isOwnStart = name === supervisor.nodeName && !supervisor.apiReady;
  if (!isOwnStart && !hasPassword(supervisor.objects, name, password)) {
    return refused(request, 403, `unable to verify password for node ${name}: hash does not match`);
  }
  const made = issue(supervisor.clientAuthority, {
    commonName: `system:node:${name}`,
    organization: 'system:nodes',
    validity: leafValidity(supervisor.clientAuthority, Date.now()),
  });
  return { status: 200, body: made.certificate + made.key };
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
