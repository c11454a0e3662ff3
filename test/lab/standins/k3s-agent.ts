/**
 * `k3s agent`, and the agent inside `k3s server`: joins a server, configures containerd, registers the node, and keeps
 * it Ready.
 *
 * Models pkg/agent/run.go (validation every 2 s forever, "k3s agent is up and running"), pkg/agent/config/config.go
 * (every 5 to 10 s forever: "Waiting to retrieve agent configuration"; node password; registries.yaml inside that
 * loop), and kubelet's registration and heartbeat (k3s-kubelet.ts). Not modelled: pods, images, and the load balancer
 * on port 6444. The load balancer's address appears only in logged errors; kubelet.kubeconfig contains the server's
 * address instead.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exchange, statusLine } from './k3s-http.ts';
import { kubeconfig } from './k3s-kubeconfig.ts';
import { registerNode } from './k3s-kubelet.ts';
import { log } from './k3s-log.ts';
import { readRegistries, writeContainerdConfig } from './k3s-registries.ts';
import { caHash, parseToken } from './k3s-token.ts';

export interface AgentSettings {
  readonly root: string;
  readonly dataDir: string;
  readonly server: string;
  readonly token: string;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly externalIps: readonly string[];
  readonly labels: readonly string[];
  readonly taints: readonly string[];
  readonly registries: string;
  readonly credentialProvider: { readonly binDir: string; readonly config: string };
  readonly version: string;
  readonly controlPlane: boolean;
  /** True if kubelet must refuse kernel settings that differ from its defaults (protect-kernel-defaults). */
  readonly protectKernel: boolean;
  /** The value of the annotation k3s.io/node-args. */
  readonly nodeArgs: string;
  /** Labels and annotations that the Node of a server has because of its datastore. */
  readonly roleLabels?: Readonly<Record<string, string>>;
  readonly roleAnnotations?: Readonly<Record<string, string>>;
}

/**
 * The URL of the server that a node joined, the server's CA, and the client certificate and key that the server issued.
 */
export interface Joined {
  readonly server: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

let missing: string | undefined;

/**
 * Returns the error of the agent's last attempt to fetch its configuration; `undefined` before the first failed attempt
 * and after a successful one. An agent that is stopped while it waits exits with this error.
 */
export function missingConfiguration(): string | undefined {
  return missing;
}

/**
 * Joins the server and writes containerd's configuration; resolves when containerd could start. Retries every failed
 * request and an invalid registries.yaml forever, as K3s does.
 */
export async function joinServer(settings: AgentSettings): Promise<Joined> {
  const ca = await validatedCa(settings);
  const password = nodePassword(settings);
  for (;;) {
    try {
      const joined = await retrieveConfiguration(settings, ca, password);
      missing = undefined;
      log('info', `Running containerd -c ${join(settings.dataDir, 'agent/etc/containerd/config.toml')}`);
      return joined;
    } catch (error) {
      missing = throughBalancer(words(error));
      log('info', `Waiting to retrieve agent configuration; server is not ready: ${missing}`);
      await sleep(5_000 + Math.random() * 5_000);
    }
  }
}

/** Waits for the API, then registers the node in the background. */
export async function runKubelet(settings: AgentSettings, joined: Joined): Promise<void> {
  while (!(await apiReady(joined))) {
    await sleep(100);
  }
  await registerNode(settings, joined);
}

/**
 * Always true: an agent verifies that the CA issued the server's certificate, but does not verify the name in the
 * certificate (observed with a real K3s 1.36).
 */
const anyName = true;

async function validatedCa(settings: AgentSettings): Promise<string> {
  for (;;) {
    try {
      const body = await cacerts(settings.server).catch((error) => {
        throw new Error(`failed to get CA certs: ${throughBalancer(words(error))}`);
      });
      const { caHash: pinned } = parseToken(settings.token);
      if (pinned === undefined) {
        log('warning', unpinned);
      } else if (pinned !== caHash(body)) {
        throw new Error(
          `token CA hash does not match the Cluster CA certificate hash: ${pinned} != ${caHash(body)}`,
        );
      }
      return body;
    } catch (error) {
      log('error', `Failed to validate connection to cluster at ${settings.server}: ${words(error)}`);
      await sleep(2_000);
    }
  }
}

/**
 * Resolves to the CA certificates of a server; rejects if the request fails, or if the status is not 200, such as the
 * 503 of a starting server (pkg/clientaccess/token.go, get).
 */
async function cacerts(server: string): Promise<string> {
  const url = `${server}/cacerts`;
  const { status, body } = await exchange({ url });
  if (status !== 200) {
    throw new Error(`${url}: ${statusLine(status)}`);
  }
  return body;
}

async function retrieveConfiguration(settings: AgentSettings, ca: string, password: string): Promise<Joined> {
  const agent = join(settings.dataDir, 'agent');
  const headers = {
    authorization: `Basic ${Buffer.from(`node:${parseToken(settings.token).password}`).toString('base64')}`,
    'k3s-node-name': settings.nodeName,
    'k3s-node-password': password,
    'k3s-node-ip': settings.nodeIp,
  };
  const config = await exchange({ url: `${settings.server}/v1-k3s/config`, headers, ca, anyName });
  if (config.status !== 200) {
    throw new Error(`failed to retrieve configuration from server: ${JSON.parse(config.body).message}`);
  }
  const file = join(agent, 'serving-kubelet.crt');
  const serving = await exchange({
    url: `${settings.server}/v1-k3s/serving-kubelet.crt`,
    method: 'POST',
    headers,
    ca,
    anyName,
  });
  if (serving.status === 403) {
    throw new Error(`${file}: ${nodePasswordRejected}`);
  }
  if (serving.status !== 200) {
    throw new Error(`${file}: ${statusLine(serving.status)}`);
  }
  const joined = saved(settings, agent, ca, serving.body);
  writeContainerdConfig(agent, readRegistries(settings.registries));
  return joined;
}

function saved(settings: AgentSettings, agent: string, ca: string, bundle: string): Joined {
  const [certificate = '', key = ''] = bundle.split(/(?=-----BEGIN PRIVATE KEY)/);
  const joined = { server: settings.server, ca, certificate, key };
  mkdirSync(agent, { recursive: true, mode: 0o755 });
  writeFileSync(join(agent, 'server-ca.crt'), ca);
  writeFileSync(join(agent, 'client-kubelet.crt'), certificate, { mode: 0o600 });
  writeFileSync(join(agent, 'client-kubelet.key'), key, { mode: 0o600 });
  writeFileSync(join(agent, 'kubelet.kubeconfig'), kubeconfig(joined), { mode: 0o600 });
  return joined;
}

/**
 * The warning that K3s logs at each start if the token contains no CA hash, because K3s then trusts any server
 * (pkg/clientaccess/token.go, validateCAHash).
 */
const unpinned =
  'Cluster CA certificate is not trusted by the host CA bundle, but the token does not include a CA hash. ' +
  "Use the full token from the server's node-token file to enable Cluster CA validation.";

/**
 * Returns the node's password, 32 hex characters whose hash the server stores for this node name; creates the password
 * at the first start.
 */
function nodePassword(settings: AgentSettings): string {
  const path = join(settings.root, 'etc/rancher/node/password');
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, `${randomBytes(16).toString('hex')}\n`, { mode: 0o600 });
  }
  return readFileSync(path, 'utf8').trim();
}

const nodePasswordRejected =
  "Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not match server node-passwd entry, try enabling a unique node name with the --with-node-id flag";

async function apiReady(joined: Joined): Promise<boolean> {
  const answer = await exchange({ ...joined, anyName, url: `${joined.server}/readyz` }).catch(
    () => undefined,
  );
  return answer?.status === 200;
}

/**
 * Returns an error message as an agent logs it. An agent's requests go through its load balancer, which closes the
 * connection if the server is down (pkg/agent/loadbalancer).
 */
function throughBalancer(why: string): string {
  return why
    .replace(/"https:\/\/[^/"]+/, '"https://127.0.0.1:6444')
    .replace(/dial tcp \S+ connect: connection refused/, 'EOF');
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
