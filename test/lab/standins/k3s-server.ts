/**
 * `k3s server`: datastore, certificates, tokens, supervisor, kubeconfig, and the agent of its own node.
 *
 * Models pkg/cli/server/server.go (order of the start, "k3s is up and running", READY=1), pkg/daemons/control/deps
 * (certificates) and pkg/server/server.go (token files, kubeconfig before the API is ready). k3s-bootstrap.ts models
 * the passwords. The datastore is a folder of JSON files.
 */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentSettings, joinServer, runKubelet } from './k3s-agent.ts';
import { rotatePasswords, type ServerFiles, startPasswords } from './k3s-bootstrap.ts';
import { type Certificate, issue, makeAuthority } from './k3s-certificates.ts';
import { runControllers } from './k3s-controllers.ts';
import type { K3sOptions } from './k3s-flags.ts';
import { kubeconfig } from './k3s-kubeconfig.ts';
import { startServerLeaves } from './k3s-leaves.ts';
import { fatal, log } from './k3s-log.ts';
import { openObjects } from './k3s-objects.ts';
import { type Supervisor, serveSupervisor } from './k3s-supervisor.ts';
import { caHash, fullToken, parseToken, readToken } from './k3s-token.ts';

/**
 * Starts a server, which serves until the process ends; resolves when the server is up. Exits with K3s's error for an
 * invalid token, an unreadable token file or a port on which the server cannot listen.
 */
export async function runServer(options: K3sOptions, node: AgentSettings): Promise<void> {
  const directory = join(node.dataDir, 'server');
  const token = await readToken(options.text('token'), options.text('token-file'));
  const agentToken = await readToken(options.text('agent-token'), options.text('agent-token-file'));
  const authority = storedAuthority(directory, 'server-ca', 'k3s-server-ca');
  const files = serverFiles(directory);
  const agent = agentToken === undefined ? undefined : parseToken(agentToken).password;
  const serverPassword = ensureDatastore(files, directory, { token, agent }, authority);
  const supervisor: Supervisor = {
    version: node.version,
    nodeName: node.nodeName,
    authority,
    staticDir: join(directory, 'static'),
    clientAuthority: storedAuthority(directory, 'client-ca', 'k3s-client-ca'),
    serverPassword,
    agentPassword: agent ?? serverPassword,
    objects: openObjects(join(directory, 'db', 'objects')),
    rotateToken: (password) =>
      rotatePasswords(files, { password, hasAgentToken: agent !== undefined }, (next) =>
        writeToken(directory, authority, next),
      ),
    apiReady: false,
    starting: true,
  };
  writeLeaves(node.dataDir, supervisor);
  const port = Number(options.text('https-listen-port') ?? 6443);
  // A node with its own root directory shares the machine with other nodes, so it listens only on loopback.
  const address = node.root === '/' ? '0.0.0.0' : '127.0.0.1';
  await serveSupervisor(supervisor, { address, port }, [
    ...['127.0.0.1', 'localhost', 'kubernetes', '10.43.0.1', node.nodeIp, node.nodeName],
    ...options.list('tls-san'),
  ]).catch((error) =>
    fatal(
      `Error: starting kubernetes: listen tcp :${port}: bind: ${error.code === 'EADDRINUSE' ? 'address already in use' : error.message}`,
    ),
  );
  writeTokens(directory, supervisor);
  writeKubeconfig(options, node, supervisor, port);
  await sleep(200);
  supervisor.starting = false;
  const url = `https://127.0.0.1:${port}`;
  const local = { ...node, server: url, token: supervisor.agentPassword };
  if (options.yes('disable-agent')) {
    return startApi(supervisor);
  }
  const joined = await joinServer(local);
  await startApi(supervisor);
  await runKubelet(local, joined);
  watchNodes(supervisor);
  runControllers(supervisor.objects);
}

/**
 * Creates a datastore with the password in the token, or verifies the password of the existing datastore; returns the
 * password. Exits with K3s's error for a wrong password, a malformed token, a token with the hash of another CA, or
 * passwords that are newer than the datastore.
 */
function ensureDatastore(
  files: ServerFiles,
  directory: string,
  { token, agent }: { readonly token: string | undefined; readonly agent: string | undefined },
  authority: Certificate,
): string {
  const given = token === undefined ? undefined : parseOrDie(token);
  if (given?.caHash !== undefined && given.caHash !== caHash(authority.certificate)) {
    fatal(
      `Error: preparing server: token CA hash does not match the Cluster CA certificate hash: ${given.caHash} != ${caHash(authority.certificate)}`,
    );
  }
  const kept = join(directory, 'token');
  const server =
    given?.password ??
    (existsSync(kept) ? parseOrDie(readFileSync(kept, 'utf8').trim()).password : undefined) ??
    randomBytes(16).toString('hex');
  const error = startPasswords(files, { server, agent });
  return error === undefined ? server : fatal(error);
}

function serverFiles(directory: string): ServerFiles {
  const at = (path: string) => join(directory, path);
  return {
    read: (path) => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : undefined),
    write: (path, text) => write(at(path), text, 0o600),
    modifiedAt: (path) => (existsSync(at(path)) ? statSync(at(path)).mtimeMs : 0),
  };
}

function parseOrDie(token: string) {
  try {
    return parseToken(token);
  } catch {
    return fatal(
      'Error: preparing server: failed to normalize server token; must be in format K10<CA-HASH>::<USERNAME>:<PASSWORD> or <PASSWORD>',
    );
  }
}

function storedAuthority(directory: string, name: string, commonName: string): Certificate {
  const path = join(directory, 'tls', `${name}.json`);
  if (!existsSync(path)) {
    const made = makeAuthority(`${commonName}@${Math.floor(Date.now() / 1000)}`);
    write(join(directory, 'tls', `${name}.crt`), made.certificate, 0o644);
    write(join(directory, 'tls', `${name}.key`), made.key, 0o600);
    write(path, `${JSON.stringify(made)}\n`, 0o600);
  }
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Writes the certificates of a server, and renews those near their end (pkg/daemons/control/deps, genCerts). */
function writeLeaves(dataDir: string, { authority: server, clientAuthority: client }: Supervisor): void {
  const files = {
    read: (path: string) =>
      existsSync(join(dataDir, path)) ? readFileSync(join(dataDir, path), 'utf8') : undefined,
    write: (path: string, text: string) => write(join(dataDir, path), text, 0o644),
  };
  startServerLeaves(files, { authorities: { server, client }, now: Date.now() });
}

function writeTokens(directory: string, supervisor: Supervisor): void {
  const ca = supervisor.authority.certificate;
  writeToken(directory, supervisor.authority, supervisor.serverPassword);
  const node = join(directory, 'node-token');
  rmSync(node, { force: true });
  symlinkSync(join(directory, 'token'), node);
  write(join(directory, 'agent-token'), `${fullToken(ca, 'node', supervisor.agentPassword)}\n`, 0o600);
  log('info', `Server node token is available at ${join(directory, 'token')}`);
  log('info', `Agent node token is available at ${join(directory, 'agent-token')}`);
}

function writeToken(directory: string, { certificate }: Certificate, password: string): void {
  write(join(directory, 'token'), `${fullToken(certificate, 'server', password)}\n`, 0o600);
}

/** Writes the kubeconfig. Like K3s, the caller does so before the API is up, so the file does not prove readiness. */
function writeKubeconfig(
  options: K3sOptions,
  node: AgentSettings,
  supervisor: Supervisor,
  port: number,
): void {
  const path = options.text('write-kubeconfig') ?? join(node.root, 'etc/rancher/k3s/k3s.yaml');
  const admin = issue(supervisor.clientAuthority, {
    commonName: 'system:admin',
    organization: 'system:masters',
  });
  const content = kubeconfig({
    ...admin,
    server: `https://127.0.0.1:${port}`,
    ca: supervisor.authority.certificate,
    objects: supervisor.objects.directory,
  });
  write(path, content, Number.parseInt(options.text('write-kubeconfig-mode') ?? '600', 8));
  log('info', `Wrote kubeconfig ${path}`);
  log('info', 'Run: k3s kubectl');
}

async function startApi(supervisor: Supervisor): Promise<void> {
  log('info', 'Running kube-apiserver --advertise-port=6443');
  await sleep(250);
  createNamespaces(supervisor);
  supervisor.apiReady = true;
  log('info', 'Kube API server is now running');
}

/** Creates the namespaces that every cluster has, unless they exist (pkg/controlplane/controller/systemnamespaces). */
function createNamespaces({ objects }: Supervisor): void {
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    if (objects.get('namespaces', undefined, name) === undefined) {
      objects.put('namespaces', undefined, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
  }
}

/**
 * Sets the Ready condition of a node to Unknown after 40 s without a heartbeat, as the node lifecycle controller does.
 */
function watchNodes({ objects }: Supervisor): void {
  setInterval(() => {
    for (const node of objects.list('nodes')) {
      const [ready] = Object(node.status).conditions ?? [];
      if (ready?.status === 'Unknown' || Date.now() - Date.parse(ready?.lastHeartbeatTime) < 40_000) {
        continue;
      }
      const lost = {
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
      };
      const conditions = [
        { ...ready, ...lost, lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z') },
      ];
      objects.put('nodes', undefined, { ...node, status: { ...Object(node.status), conditions } });
    }
  }, 5_000);
}

function write(path: string, content: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.tmp`, content, { mode });
  chmodSync(`${path}.tmp`, mode);
  renameSync(`${path}.tmp`, path);
}
