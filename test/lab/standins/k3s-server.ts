/**
 * `k3s server`: datastore, certificates, tokens, supervisor, kubeconfig, and the agent of its own node.
 *
 * Models pkg/cli/server/server.go (order of the start, "k3s is up and running", READY=1) and pkg/server/server.go
 * (kubeconfig before the API is ready). k3s-server-files.ts models the certificates, k3s-bootstrap.ts the passwords.
 * k3s-sqlite-server.ts opens SQLite, k3s-shared.ts a datastore that other servers share.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentSettings, joinServer, runKubelet } from './k3s-agent.ts';
import {
  ensurePasswords,
  type RotationStep,
  rotatePasswords,
  type ServerFiles,
  startPasswords,
} from './k3s-bootstrap.ts';
import { type Certificate, issue } from './k3s-certificates.ts';
import { runControllers } from './k3s-controllers.ts';
import { configOf } from './k3s-critical.ts';
import type { K3sOptions } from './k3s-flags.ts';
import { isLoopback } from './k3s-http.ts';
import { kubeconfig } from './k3s-kubeconfig.ts';
import { fatal, log } from './k3s-log.ts';
import { hasPassword } from './k3s-node-password.ts';
import { noObjects } from './k3s-objects.ts';
import {
  serverFiles,
  storedAuthority,
  writeLeaves,
  writeToken,
  writeTokens,
  writeWhole,
} from './k3s-server-files.ts';
import { parseOrDie, passwordOf } from './k3s-server-token.ts';
import { prepareShared, type SharedDatastore } from './k3s-shared.ts';
import { openSqliteServer } from './k3s-sqlite-server.ts';
import { type Supervisor, serveSupervisor } from './k3s-supervisor.ts';
import { caHash, readToken } from './k3s-token.ts';

/**
 * Starts a server, which serves until the process ends; resolves when the server is up. Exits with K3s's error for an
 * invalid token, an unreadable token file or a port on which the server cannot listen.
 */
export async function runServer(options: K3sOptions, node: AgentSettings): Promise<void> {
  const directory = join(node.dataDir, 'server');
  const token = await readToken(options.text('token'), options.text('token-file'));
  const agentToken = await readToken(options.text('agent-token'), options.text('agent-token-file'));
  const files = serverFiles(directory);
  const agent = agentToken === undefined ? undefined : parseOrDie(agentToken).password;
  const starting = { options, node, directory, files, token, agentPassword: agent };
  const shared = await prepareShared(starting);
  const sqlite = shared === undefined ? openSqliteServer(starting) : undefined;
  const authority = storedAuthority(directory, 'server-ca', 'k3s-server-ca');
  refuseOtherCa(token, authority);
  const serverPassword =
    shared === undefined
      ? ensureDatastore(files, { token, agent })
      : ensurePasswords(files, { server: shared.password, agent });
  const supervisor: Supervisor = {
    version: node.version,
    nodeName: node.nodeName,
    authority,
    staticDir: join(directory, 'static'),
    clientAuthority: storedAuthority(directory, 'client-ca', 'k3s-client-ca'),
    serverPassword,
    agentPassword: agent ?? serverPassword,
    config: configOf(options),
    shared,
    objects: sqlite?.objects ?? noObjects(directory),
    async rotateToken(password) {
      const after = killedAfter(files);
      const status = rotatePasswords(
        files,
        { password, hasAgentToken: agent !== undefined },
        (next) => writeToken(directory, authority, next),
        after,
        shared === undefined,
      );
      if (status !== 200) {
        return status;
      }
      sqlite?.rotate(serverPassword, password);
      return shared === undefined ? 200 : shared.rotate(password, after);
    },
    apiReady: false,
    starting: true,
  };
  writeLeaves(node.dataDir, supervisor);
  const port = Number(options.text('https-listen-port') ?? 6443);
  await serveSupervisor(supervisor, { addresses: listenAddresses(node), port }, [
    ...['127.0.0.1', 'localhost', 'kubernetes', '10.43.0.1', node.nodeIp, node.nodeName],
    ...options.list('tls-san'),
  ]).catch((error) =>
    fatal(
      `Error: starting kubernetes: listen tcp :${port}: bind: ${error.code === 'EADDRINUSE' ? 'address already in use' : error.message}`,
    ),
  );
  writeTokens(directory, supervisor);
  sqlite?.save(serverPassword);
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
  verifyOwnPassword(supervisor, node);
  await runKubelet({ ...local, ...nodeMarks(shared) }, joined);
  const leads = () => shared?.leads() ?? true;
  watchNodes(supervisor, leads);
  runControllers(supervisor.objects, leads);
}

/**
 * Returns the addresses on which a server listens. A node with its own root directory shares the machine with other
 * nodes, so it listens only on loopback, also at its own address there.
 */
function listenAddresses({ root, nodeIp }: AgentSettings): readonly string[] {
  if (root === '/') {
    return ['0.0.0.0'];
  }
  return [...new Set(['127.0.0.1', ...(isLoopback(nodeIp) ? [nodeIp] : [])])];
}

/** Verifies the password of the server's own node, once the datastore is open (pkg/nodepassword). */
function verifyOwnPassword({ objects }: Supervisor, { root, nodeName }: AgentSettings): void {
  const password = readFileSync(join(root, 'etc/rancher/node/password'), 'utf8').trim();
  if (!hasPassword(objects, nodeName, password)) {
    log('error', `Failed to verify node password for ${nodeName}: hash does not match`);
  }
}

function nodeMarks(shared: SharedDatastore | undefined) {
  return { roleLabels: shared?.nodeLabels ?? {}, roleAnnotations: shared?.nodeAnnotations ?? {} };
}

/** Exits with K3s's error for a token with the hash of another CA. */
function refuseOtherCa(token: string | undefined, { certificate }: Certificate): void {
  const pinned = token === undefined ? undefined : parseOrDie(token).caHash;
  if (pinned !== undefined && pinned !== caHash(certificate)) {
    fatal(
      `Error: preparing server: token CA hash does not match the Cluster CA certificate hash: ${pinned} != ${caHash(certificate)}`,
    );
  }
}

/**
 * Creates a datastore with the password in the token, or verifies the password of the existing datastore; returns the
 * password. Exits with K3s's error for a wrong password, a malformed token, or passwords that are newer than the
 * datastore.
 */
function ensureDatastore(
  files: ServerFiles,
  { token, agent }: { readonly token: string | undefined; readonly agent: string | undefined },
): string {
  const server = passwordOf({ token, files });
  const error = startPasswords(files, { server, agent });
  return error === undefined ? server : fatal(error);
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
    etcd: supervisor.shared?.etcdUrl,
  });
  writeWhole(path, content, Number.parseInt(options.text('write-kubeconfig-mode') ?? '600', 8));
  log('info', `Wrote kubeconfig ${path}`);
  log('info', 'Run: k3s kubectl');
}

async function startApi(supervisor: Supervisor): Promise<void> {
  if (supervisor.shared !== undefined) {
    const objects = await supervisor.shared.open();
    supervisor.objects = objects;
    supervisor.shared.runControllers(objects);
  }
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
function watchNodes({ objects }: Supervisor, leads: () => boolean): void {
  setInterval(() => {
    for (const node of leads() ? objects.list('nodes') : []) {
      const [ready, ...others] = Object(node.status).conditions ?? [];
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
        ...others,
      ];
      objects.put('nodes', undefined, { ...node, status: { ...Object(node.status), conditions } });
    }
  }, 5_000);
}

/** Returns a function that kills K3s after the step of a rotation that a test has named in the file `killed-after`. */
function killedAfter(files: ServerFiles): (step: RotationStep) => void {
  return (step) => {
    if (files.read('killed-after') === step) {
      files.write('killed-after', '');
      process.kill(process.pid, 'SIGKILL');
    }
  };
}
