/**
 * Runs Debian's containerd with all its files below one folder, and its client `ctr`.
 *
 * `ctr images pull` uses the same resolver, token flow and transfers as the CRI plugin (containerd 1.6,
 * remotes/docker); the plugin itself would need a kubelet.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endProcess, type Finished, type Processes, runProgram } from '../processes.ts';

export interface Containerd {
  /** Runs `ctr` with the proxy and the certificates of `network`. */
  ctr(...args: readonly string[]): Promise<Finished>;
  stop(): Promise<void>;
}

export interface ContainerdOptions {
  /**
   * The folder of all files. The folder's path must be short, because the path of a socket is limited to about a
   * hundred characters.
   */
  readonly dir: string;
  readonly processes: Processes;
  /** The variables HTTPS_PROXY and SSL_CERT_FILE. */
  readonly network: Readonly<Record<string, string>>;
}

/** The plugins that would inspect the machine; a pull does not need them. */
const disabled = [
  'io.containerd.grpc.v1.cri',
  ...['aufs', 'btrfs', 'devmapper', 'overlayfs', 'zfs'].map((name) => `io.containerd.snapshotter.v1.${name}`),
  'io.containerd.internal.v1.restart',
];

export async function startContainerd({ dir, processes, network }: ContainerdOptions): Promise<Containerd> {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'config.toml'), configuration(dir));
  const env = { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin', ...network };
  const child = processes.start('containerd', ['--config', join(dir, 'config.toml')], env);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text) => (log += text));
  }
  const socket = join(dir, 'containerd.sock');
  const ctr = (...args: readonly string[]) => runProgram('ctr', ['--address', socket, ...args], env);
  for (const end = Date.now() + 15_000; (await ctr('version')).exitCode !== 0; await sleep(50)) {
    if (Date.now() > end) {
      throw new Error(`containerd does not answer: ${log}`);
    }
  }
  return { ctr, stop: () => endProcess(child) };
}

function configuration(dir: string): string {
  return [
    'version = 2',
    `root = "${join(dir, 'root')}"`,
    `state = "${join(dir, 'state')}"`,
    `disabled_plugins = ${JSON.stringify(disabled)}`,
    '[grpc]',
    `address = "${join(dir, 'containerd.sock')}"`,
    '[plugins."io.containerd.internal.v1.opt"]',
    `path = "${join(dir, 'opt')}"`,
    '',
  ].join('\n');
}
