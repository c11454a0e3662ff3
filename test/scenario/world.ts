import { join } from 'node:path';
import { parse } from 'yaml';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { reveal } from '../../src/agent/engine/secret.ts';
import { stamp } from '../../src/agent/parts/index.ts';
import { pinnedCa } from '../../src/agent/parts/k3s/membership/ca.ts';
import { parseToken } from '../../src/agent/parts/k3s/membership/token.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { beside } from '../lab/beside.ts';
import { kernelClock } from '../lab/kernel-clock.ts';
import { readProviders } from '../lab/kubelet-config.ts';
import { type MemoryApi, serveMemoryApi } from '../lab/memory-api.ts';
import { memoryGit } from '../lab/memory-git.ts';
import { type MemoryHost, memoryHost } from '../lab/memory-host.ts';
import { writeFluxSecret } from '../lab/standins/flux-secret.ts';
import type { User } from '../lab/standins/k3s-admission.ts';
import { issue, makeAuthority } from '../lab/standins/k3s-certificates.ts';
import { kubeconfig as kubeconfigOf } from '../lab/standins/k3s-kubeconfig.ts';
import { applied, fetched, putFlux } from '../unit/agent/gitops/flux/cluster.ts';
import { type WorldCertificates, worldCertificates } from './certificates.ts';
import { type EtcdPeer, etcdPeer } from './etcd-peer.ts';
import { type OtherServer, otherServer } from './other-server.ts';
import { Units } from './units.ts';
import { type WorldPasswords, worldPasswords } from './world-passwords.ts';

export const joinToken = 'join-token-canary-3f9a';
export const gitToken = 'git-token-canary-77aa';
export const workloadTokens = {
  'cloudflare-token': 'cloudflare-token-canary-51c2',
  'ghcr-token': 'ghcr-token-canary-90de',
};
export const serverUrl = 'https://10.0.0.4:6443';
export const authority = makeAuthority('k3s-server-ca@1700000000');
export const ca = authority.certificate;

const paths = nodePaths('/');
const localApi = 'https://127.0.0.1:6443';
const admin = issue(authority, { commonName: 'system:admin', organization: 'system:masters' });
const kubelet = issue(authority, { commonName: 'system:node', organization: 'system:nodes' });
const adminKubeconfig = kubeconfigOf({ server: localApi, ca, ...admin });
const kubeletKubeconfig = kubeconfigOf({ server: localApi, ca, ...kubelet });
const k3sVersion = /^k3s (\S+)$/;

/**
 * A VM in memory with a systemd, a K3s and a cluster to join, modelled as far as Slipway sees them: K3s reads its files
 * only when it starts, a server keeps its token until a rotation, and taints apply only at the first registration.
 */
export interface World {
  readonly host: MemoryHost;
  readonly units: Units;
  /** The token and the CA of the supervisor at serverUrl; undefined while the supervisor is down. */
  server: { token: string; ca: string } | undefined;
  /** The Kubernetes API at the address in the kubeconfigs, while K3s runs. */
  readonly kubernetes: MemoryApi;
  /** The server that grants turns, unless this VM is a server itself. */
  readonly granter: OtherServer;
  /** The users of the Kubernetes API, by the PEM of their client certificates. */
  readonly users: Record<string, User>;
  /** The release that the server at serverUrl publishes; undefined if it publishes none. */
  fleetRelease: string | undefined;
  /** The newest release of each channel of K3s, by name; undefined while the channel server is down. */
  channels: Readonly<Record<string, string>> | undefined;
  /** The releases that end soon after each start, each with the last line of its journal. */
  readonly broken: Map<string, string>;
  /** Another server with embedded etcd, which this VM may join as a server. */
  readonly peer: EtcdPeer;
  readonly certificates: WorldCertificates;
  readonly passwords: WorldPasswords;
  /** The images for which the running kubelet asks a credential provider. */
  matchImages: readonly string[];
  /**
   * Restarts the VM: stops all units and jobs, clears the tables of the kernel, empties /run and starts the enabled
   * services.
   */
  reboot(): Promise<void>;
}

export function world(): World {
  const host = memoryHost({ directories: ['/run', '/proc'] });
  const clock = kernelClock(host);
  const units = new Units(host, (unit) => startK3s(made, unit));
  const users: Record<string, User> = {
    [admin.certificate]: { name: 'system:admin', groups: ['system:masters'] },
  };
  const kubernetes = serveMemoryApi(host, localApi, users);
  kubernetes.isUp = () => units.isActive(/^k3s/);
  host.onGet(`${localApi}/ping`, () => (kubernetes.isUp() ? 'pong' : unreachable(new Error('ECONNREFUSED'))));
  const granter = otherServer();
  kubernetes.other = granter.act;
  const made: World = {
    host,
    units,
    kubernetes,
    granter,
    users,
    certificates: worldCertificates(host, authority, () => units.isActive(/^k3s.service$/)),
    passwords: worldPasswords(host, units, ca),
    server: { token: joinToken, ca },
    peer: etcdPeer(host),
    fleetRelease: undefined,
    channels: undefined,
    broken: new Map(),
    matchImages: [],
    async reboot() {
      units.powerOff();
      host.jobs.die();
      clock.reboot();
      await units.boot();
    },
  };
  kernel(host);
  systemd(made);
  k3s(made);
  supervisor(made);
  flux(made);
  kubernetes.git = memoryGit(gitToken, 'clusters/main');
  for (const name of ['default', 'kube-system', 'kube-node-lease']) {
    kubernetes.objects.put('namespaces', undefined, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name },
    });
  }
  return made;
}

function kernel(host: MemoryHost): void {
  const settings = {
    'net/ipv4/ip_forward': '0',
    'fs/inotify/max_user_instances': '128',
    'fs/inotify/max_user_watches': '8192',
  };
  for (const [path, value] of Object.entries(settings)) {
    host.files.write(`/proc/sys/${path}`, `${value}\n`);
  }
  host.files.write('/proc/filesystems', 'nodev\tsysfs\n\text4\n');
}

function systemd({ host, units }: World): void {
  host.on({ file: 'systemctl' }, ({ args }) => units.systemctl(args));
  host.on({ file: 'journalctl' }, ({ args }) => units.journal(args));
  host.files.write('/usr/sbin/nft', 'nft', 0o755);
  host.on({ file: 'systemd-run' }, ({ args }) => units.systemdRun(args));
}

function k3s(made: World): void {
  const { host } = made;
  host.onDownload(
    /\/v[^/]+%2Bk3s1\/k3s$/,
    ({ url }) => `k3s ${decodeURIComponent(url.split('/').at(-2) ?? '')}`,
  );
  for (const path of [paths.k3s.binary, paths.k3s.next, paths.k3s.previous]) {
    host.on({ file: path, args: ['--version'] }, () => {
      const version = installed(host, path);
      return version ? `k3s version ${version} (1a2b3c4d)\ngo version go1.24.4\n` : { exitCode: 127 };
    });
  }
  host.on({ file: 'ln', args: /^--force --no-dereference / }, ({ args: [, , from = '', to = ''] }) => {
    host.files.write(to, host.files.text(from) ?? '', 0o755);
    return '';
  });
}

function installed(host: MemoryHost, path: string = paths.k3s.binary): string | undefined {
  return k3sVersion.exec(host.files.text(path) ?? '')?.[1];
}

/**
 * Runs the stamp command of the unit, if any, then K3s until READY=1. Returns the error line if K3s fails, otherwise
 * `undefined`.
 */
async function startK3s(made: World, unit: string): Promise<string | undefined> {
  const { host } = made;
  const command = unit === 'k3s.service' ? 'server' : 'agent';
  const fate = made.broken.get(installed(host) ?? '');
  if (/^ExecStartPre=.* stamp /m.test(made.units.loaded(unit))) {
    await stamp(beside(host), paths, { invocationId: made.units.invocation(unit) });
  }
  if (fate !== undefined) {
    return fate;
  }
  const config = parse(host.files.text(paths.k3s.config) ?? '');
  const token = host.files.text(config['token-file'])?.trim();
  if (token === undefined) {
    return 'level=fatal msg="token file is missing"';
  }
  try {
    made.matchImages = providedImages(host);
  } catch (error) {
    return `E1101 12:00:00.000000    4711 run.go:72] "Failed to register CRI auth plugins" err="${Object(error).message}"`;
  }
  if (command === 'server') {
    return startServer(made, config, token);
  }
  return startAgent(made, config, token);
}

/**
 * Returns the images for which kubelet asks the providers that K3s passes on; an empty list if the configuration or the
 * plugin folder is missing. Throws kubelet's error if a plugin is missing or not executable.
 */
function providedImages({ files }: MemoryHost): readonly string[] {
  const { credentialProvider, credentialProviderBin } = paths.k3s;
  const config = files.text(credentialProvider);
  if (config === undefined || files.stat(credentialProviderBin)?.kind !== 'directory') {
    return [];
  }
  return readProviders(config).flatMap(({ name, matchImages }) => {
    const plugin = join(credentialProviderBin, name);
    if (((files.read(plugin)?.mode ?? 0) & 0o111) === 0) {
      throw new Error('plugin binary executable  did not exist');
    }
    return matchImages;
  });
}

function startServer(made: World, config: K3sConfig, token: string): string | undefined {
  const { host } = made;
  const { kubeconfig } = paths.k3s;
  const agentTokenFile = config['agent-token-file'];
  const agentToken = agentTokenFile === undefined ? undefined : host.files.text(agentTokenFile);
  const error = made.peer.start(config, token) ?? made.passwords.start(token, agentToken);
  if (error !== undefined) {
    return error;
  }
  made.certificates.start('server');
  host.files.write(kubeconfig, adminKubeconfig, 0o600);
  register(made, config['node-name'], config['node-taint']);
  return undefined;
}

/**
 * Joins as an agent; returns the error line if K3s fails. Downloads the CA at each start, and accepts any CA unless the
 * token pins another one (pkg/clientaccess/token.go, validateCAHash; seen on a real K3s 1.36).
 */
function startAgent(made: World, config: K3sConfig, token: string): string | undefined {
  const { host, server } = made;
  if (config.server === undefined) {
    return 'level=fatal msg="--server is required"';
  }
  const joined = host.files.text(paths.k3s.agentServerCa);
  if (server === undefined) {
    return joined ? undefined : 'level=error msg="Failed to validate connection to cluster"';
  }
  const { caHash, credential } = parseToken(token) ?? {};
  const shown = pinnedCa(server.ca).hash;
  if (caHash !== undefined && caHash !== shown) {
    return `level=error msg="Failed to validate connection to cluster at ${config.server}: token CA hash does not match the Cluster CA certificate hash: ${caHash} != ${shown}"`;
  }
  if (joined === undefined && credential !== server.token) {
    return 'level=fatal msg="not authorized"';
  }
  made.certificates.start('agent');
  host.files.write(paths.k3s.agentServerCa, server.ca);
  register(made, config['node-name'], config['node-taint']);
  return undefined;
}

interface K3sConfig {
  readonly server?: string;
  readonly 'cluster-init'?: boolean;
  readonly 'agent-token-file'?: string;
  readonly 'node-name': string;
  readonly 'node-taint'?: readonly string[];
}

/**
 * Writes the kubeconfig of kubelet, and registers the Node, as a start of K3s does. The taints apply only to a Node
 * that the cluster does not have yet.
 */
export function register(
  { host, kubernetes, users }: World,
  name: string,
  nodeTaints: readonly string[] = [],
): void {
  host.files.write(paths.k3s.kubeletKubeconfig, kubeletKubeconfig, 0o600);
  users[kubelet.certificate] = { name: `system:node:${name}`, groups: ['system:nodes'] };
  const before = kubernetes.objects.get('nodes', undefined, name);
  const taints = nodeTaints.map((text) => {
    const [, key, value, effect] = /^([^=]+)=([^:]*):(.+)$/.exec(text) ?? [];
    return { key, value, effect };
  });
  kubernetes.objects.put('nodes', undefined, {
    ...{
      apiVersion: 'v1',
      kind: 'Node',
      metadata: before?.metadata ?? { name },
      spec: before?.spec ?? { taints },
    },
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      nodeInfo: { kubeletVersion: installed(host) },
    },
  });
}

function supervisor(made: World): void {
  const down = new Error('ECONNREFUSED');
  made.host.onGet(`${serverUrl}/ping`, () => (made.server ? 'pong' : unreachable(down)));
  made.host.onGet('https://10.0.0.9:6443/ping', unreachable(down));
  made.host.onGet(`${serverUrl}/cacerts`, () => made.server?.ca ?? unreachable(down));
  made.host.onGet(`${serverUrl}/static/slipway/release.json`, () => {
    const release = JSON.stringify({ format: 1, k3s: made.fleetRelease });
    return made.server ? (made.fleetRelease ? release : { status: 404 }) : unreachable(down);
  });
  made.host.onGet('https://update.k3s.io/v1-release/channels', () => {
    const data = Object.entries(made.channels ?? {}).map(([name, latest]) => ({ name, latest }));
    return made.channels ? JSON.stringify({ type: 'collection', data }) : unreachable(down);
  });
  made.host.onGet(`${serverUrl}/v1-k3s/readyz`, ({ headers }) => {
    const shown = reveal(headers?.authorization ?? '');
    const wanted = `Basic ${Buffer.from(`node:${made.server?.token}`).toString('base64')}`;
    return shown === wanted ? 'ok' : { status: 401, body: 'not authorized' };
  });
}

function unreachable(cause: Error): Error {
  return new NodeError('Unreachable', `Nothing answers: ${cause.message}.`, { cause });
}

function flux({ host, kubernetes }: World): void {
  host.onDownload(/flux_2\.9\.4_linux_amd64\.tar\.gz$/, 'flux version 2.9.4\n');
  host.on(
    { file: 'flux', args: ['--version'] },
    () => host.files.text('/usr/local/bin/flux') ?? { exitCode: 127 },
  );
  host.on({ file: 'flux', args: /^bootstrap github / }, ({ args, env }) => {
    if (reveal(env?.GITHUB_TOKEN ?? '') !== gitToken) {
      return { exitCode: 1, stderr: '✗ 401 Bad credentials' };
    }
    const path = args.find((arg) => arg.startsWith('--path='))?.slice('--path='.length);
    putFlux(kubernetes, { source: fetched, sync: applied(`./${path}`) });
    const metadata = { name: 'flux-system' };
    kubernetes.objects.put('namespaces', undefined, { apiVersion: 'v1', kind: 'Namespace', metadata });
    writeFluxSecret(kubernetes.objects, { username: 'git', password: gitToken });
    return '';
  });
}
