/**
 * Several stand-ins of K3s on this machine, each with its own root directory, for tests of servers that share a
 * datastore.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { bundleStandIn } from '../lab/bundle.ts';
import { freePort } from '../lab/lab.ts';
import { runProgram } from '../lab/processes.ts';
import { exchange } from '../lab/standins/k3s-http.ts';

export interface StartedServer {
  readonly name: string;
  readonly root: string;
  readonly port: number;
  readonly url: string;
  /** Everything that K3s has logged since its last start. */
  log(): string;
  /** Writes config.yaml; `token: undefined` leaves the token out. */
  configure(settings: object): void;
  start(): void;
  /** Starts K3s, and resolves when it is up. */
  up(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Resolves to true when K3s has ended. */
  readonly child: ChildProcess | undefined;
  run(...args: readonly string[]): ReturnType<typeof runProgram>;
  kubectl(...args: readonly string[]): ReturnType<typeof runProgram>;
  /** Sends a request to the supervisor as `user:password`. */
  ask(path: string, credentials?: string): ReturnType<typeof exchange>;
  /** Sends a request to the API as the admin; resolves to the status and the parsed answer, or to its text. */
  api(method: string, path: string, body?: object): Promise<ApiAnswer>;
  /** Returns a file below DD/server; an empty text if it is missing. */
  data(path: string): string;
}

export interface ApiAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests compare parts of the answer
  readonly body: any;
}

export interface ACluster {
  server(name: string): Promise<StartedServer>;
  /** Kills all servers, and deletes their files. */
  end(): Promise<void>;
}

/** The missing programs of etcd, as a reason to skip a test; `undefined` if all are installed. */
export const etcdMissing = ['etcd', 'etcdctl', 'setpriv'].some((program) => !isInstalled(program))
  ? 'needs etcd-server and etcd-client of Debian'
  : undefined;

export function isInstalled(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Resolves when the condition is true; rejects after 90 seconds. For hooks, in which Vitest does not poll. */
export async function waitFor(isTrue: () => boolean): Promise<void> {
  for (const end = Date.now() + 90_000; !isTrue(); await sleep(50)) {
    if (Date.now() > end) {
      throw new Error('The condition is still false after 90 seconds.');
    }
  }
}

/** Builds the stand-in, and returns a cluster without servers. */
export async function aCluster(): Promise<ACluster> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-servers-'));
  const built = await bundleStandIn('k3s', join(folder, 'k3s'), { K3S_VERSION: 'v1.36.3+k3s1' });
  const servers: StartedServer[] = [];
  return {
    async server(name) {
      const server = aServer(join(folder, `${name}-${servers.length}`), name, built, await freePort());
      servers.push(server);
      return server;
    },
    async end() {
      await Promise.all(servers.map((server) => server.stop('SIGKILL')));
      // etcd ends with its K3s, but not at once.
      await sleep(200);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function aServer(root: string, name: string, built: string, port: number): StartedServer {
  const environment = { PATH: '/usr/local/bin:/usr/bin:/bin' };
  const binary = join(root, 'usr/local/bin/k3s');
  mkdirSync(join(binary, '..'), { recursive: true });
  copyFileSync(built, binary);
  let text = '';
  let child: ChildProcess | undefined;
  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  const started: StartedServer = {
    name,
    root,
    port,
    url: `https://127.0.0.1:${port}`,
    log: () => text,
    get child() {
      return child;
    },
    configure(settings) {
      const path = join(root, 'etc/rancher/k3s/config.yaml');
      mkdirSync(join(path, '..'), { recursive: true });
      const all = { 'https-listen-port': port, 'node-name': name, token: 'secret', ...settings };
      writeFileSync(path, stringify(all), { mode: 0o600 });
    },
    start() {
      text = '';
      child = spawn(binary, ['server'], { env: environment });
      child.stderr?.on('data', (chunk) => {
        text += chunk;
      });
    },
    async up() {
      started.start();
      const isUp = () => text.includes('k3s is up and running');
      await waitFor(() => isUp() || !isRunning()).catch(() => undefined);
      if (!isUp()) {
        throw new Error(`${name} is not up:\n${text.slice(-3_000)}`);
      }
    },
    async stop(signal = 'SIGTERM') {
      if (isRunning() && child) {
        child.kill(signal);
        await once(child, 'exit');
      }
    },
    run: (...args) => runProgram(binary, args, environment),
    kubectl: (...args) =>
      runProgram(
        binary,
        ['kubectl', '--kubeconfig', join(root, 'etc/rancher/k3s/k3s.yaml'), ...args],
        environment,
      ),
    ask: (path, credentials = 'server:secret') =>
      exchange({
        url: `${started.url}${path}`,
        headers: { authorization: `Basic ${btoa(credentials)}` },
        timeout: 30_000,
      }),
    async api(method, path, body) {
      const { user } = parse(readFileSync(join(root, 'etc/rancher/k3s/k3s.yaml'), 'utf8')).users[0];
      const answer = await exchange({
        url: `${started.url}${path}`,
        method,
        certificate: atob(user['client-certificate-data']),
        key: atob(user['client-key-data']),
        timeout: 30_000,
        ...(body && { body: JSON.stringify(body) }),
      });
      return {
        status: answer.status,
        body: answer.body.startsWith('{') ? JSON.parse(answer.body) : answer.body,
      };
    },
    data: (path) => {
      const file = join(root, 'var/lib/rancher/k3s/server', path);
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    },
  };
  return started;
}
