/**
 * The real etcd of a server: its configuration file, its process, and what K3s does when it ends.
 *
 * Models pkg/daemons/executor (the configuration in db/etcd/config; a removed member leaves a tombstone) and
 * pkg/etcd/etcd.go (ports 2379 and 2380, timeouts of elections). K3s contains etcd; here it is a process that ends with
 * the stand-in. Not modelled: TLS. A node with its own root directory shares the machine, so its ports differ, and it
 * has no port 2381 for health and metrics.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { type Etcd, etcdAt } from './k3s-etcd-client.ts';
import { isLoopback } from './k3s-http.ts';
import { fatal, log } from './k3s-log.ts';

/** Where a server's etcd listens. */
export interface EtcdUrls {
  readonly client: string;
  readonly peer: string;
}

/** How a member starts: as the first of a new cluster, as a new member of `cluster`, or again. */
export type EtcdStart =
  | { readonly state: 'new' }
  | { readonly state: 'existing'; readonly cluster: string }
  | { readonly state: 'again' };

export interface EtcdPlace {
  /** The folder DD/server/db/etcd. */
  readonly directory: string;
  readonly name: string;
  readonly urls: EtcdUrls;
}

/**
 * Returns the URLs of the etcd of a node: those of K3s if the node has an address of its own; otherwise those of its
 * last start, or unused ports.
 */
export async function etcdUrls(directory: string, node: { root: string; nodeIp: string }): Promise<EtcdUrls> {
  const isAlone = node.root === '/' || (isLoopback(node.nodeIp) && node.nodeIp !== '127.0.0.1');
  if (isAlone) {
    return { client: `http://${node.nodeIp}:2379`, peer: `http://${node.nodeIp}:2380` };
  }
  const file = join(directory, 'config');
  if (existsSync(file)) {
    const known = parse(readFileSync(file, 'utf8'));
    return { client: known['advertise-client-urls'], peer: known['listen-peer-urls'] };
  }
  const [client, peer] = [await freePort(), await freePort()];
  return { client: `http://127.0.0.1:${client}`, peer: `http://127.0.0.1:${peer}` };
}

let child: ChildProcess | undefined;

/** Starts etcd, and resolves to a client of it; does not wait for a leader. `force` makes it the only member. */
export async function startEtcd(
  { directory, name, urls }: EtcdPlace,
  start: EtcdStart,
  force = false,
): Promise<Etcd> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const isShared = isLoopback(new URL(urls.client).hostname);
  const local = isShared ? urls.client : `http://127.0.0.1:${new URL(urls.client).port}`;
  const config = join(directory, 'config');
  const settings = {
    name,
    'data-dir': directory,
    'listen-client-urls': [...new Set([urls.client, local])].join(','),
    'listen-peer-urls': urls.peer,
    'advertise-client-urls': urls.client,
    'initial-advertise-peer-urls': urls.peer,
    ...(!isShared && { 'listen-metrics-urls': 'http://127.0.0.1:2381' }),
    ...(start.state === 'new' && {
      'initial-cluster': `${name}=${urls.peer}`,
      'initial-cluster-state': 'new',
    }),
    ...(start.state === 'existing' && {
      'initial-cluster': start.cluster,
      'initial-cluster-state': 'existing',
    }),
    ...(force && { 'force-new-cluster': true }),
    // A cluster of one that only this process uses need not wait for others.
    'election-timeout': force ? 1000 : 5000,
    'heartbeat-interval': force ? 100 : 500,
    'snapshot-count': 10_000,
    'enable-grpc-gateway': true,
    logger: 'zap',
    'log-outputs': ['stderr'],
  };
  writeFileSync(config, stringify(settings), { mode: 0o600 });
  const program = ['--pdeathsig', 'KILL', namedLikeK3s(directory), '--config-file', config];
  const started = spawn('setpriv', program, { stdio: ['ignore', 'ignore', 'pipe'] });
  child = started;
  started.once('error', () => fatal('The stand-in needs setpriv (util-linux).'));
  if (!existsSync('/usr/bin/etcd')) {
    fatal('The stand-in needs /usr/bin/etcd and etcdctl: apt-get install etcd-server etcd-client.');
  }
  let last = '';
  started.stderr.on('data', (chunk) => {
    last = (last + chunk).slice(-8_000);
  });
  started.once('exit', () => child === started && ended(directory, last));
  const etcd = etcdAt(local);
  while (child === started && started.exitCode === null && !(await answers(local))) {
    await sleep(50);
  }
  return etcd;
}

/** Returns a link to etcd whose name makes the process look like a part of K3s, as in the output of ss(8). */
function namedLikeK3s(directory: string): string {
  const link = join(directory, 'k3s-etcd');
  rmSync(link, { force: true });
  symlinkSync('/usr/bin/etcd', link);
  return link;
}

/** Ends etcd as a stop of K3s does: a leader hands over first. Resolves when it has ended. */
export async function stopEtcd(): Promise<void> {
  const stopped = child;
  child = undefined;
  if (stopped !== undefined && stopped.exitCode === null && stopped.signalCode === null) {
    const { promise, resolve } = Promise.withResolvers<void>();
    stopped.once('exit', () => resolve());
    stopped.kill('SIGTERM');
    await promise;
  }
}

/** Does what K3s does when its etcd ends by itself: notes that it was removed, or ends too. */
function ended(directory: string, words: string): void {
  child = undefined;
  if (/permanently removed from the cluster/.test(words)) {
    writeFileSync(join(directory, 'tombstone'), '', { mode: 0o600 });
    log('info', 'This node has been removed from the cluster - please restart k3s to rejoin the cluster');
    return;
  }
  const line = words.trim().split('\n').at(-1) ?? '';
  fatal(`etcd exited: ${/"error":"([^"]*)"/.exec(words)?.[1] ?? line.slice(0, 300)}`);
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/version`, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Resolves to an unused loopback port below the range for outgoing connections. */
function freePort(): Promise<number> {
  const port = randomInt(12_000, 32_000);
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(freePort()));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
  });
}
