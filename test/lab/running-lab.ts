/**
 * Runs the executable under test on nodes whose roots are below one folder, with an emulated cloud and a release
 * mirror.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterSecrets } from './cluster-secrets.ts';
import type { NodeFile } from './example-settings.ts';
import type { LabCloud } from './lab-clouds.ts';
import { lengthened } from './limits.ts';
import { type Mirror, startMirror } from './mirror.ts';
import { LabNode } from './node.ts';
import { Processes } from './processes.ts';

export interface RunOptions {
  /** The folder that contains the root of each node. Each lab deletes the folder and creates it again. */
  readonly dir: string;
  /** The command under test: a program and its first arguments. */
  readonly executable: readonly [string, ...string[]];
  readonly k3sVersions?: readonly string[];
  /** Called with the name of a node and each line of its `log`. */
  readonly onLog?: (node: string, line: string) => void;
}

/** A started cloud, and the nodes to run on it, each with its files before the first boot. */
export interface LabGround<Cloud extends LabCloud> {
  readonly cloud: Cloud;
  readonly secrets: ClusterSecrets;
  readonly nodes: readonly { readonly name: string; readonly files: readonly NodeFile[] }[];
}

/** A lab on one of the emulated clouds. */
export interface LabOn<Cloud extends LabCloud> {
  readonly cloud: Cloud;
  readonly mirror: Mirror;
  readonly nodes: readonly LabNode[];
  /**
   * The secrets of the cluster, by purpose. None may leak. They do not include the tokens that the cloud and its
   * registries issue; see `canaries` of the emulated cloud.
   */
  readonly secrets: ClusterSecrets;
  /** Returns the node of this name; throws if the lab does not have it. */
  node(name: string): LabNode;
  /** Starts all daemons at once. */
  start(): void;
  /**
   * Resolves when every node is Ready; rejects after `timeout` milliseconds, by default three minutes (limits.ts), with
   * each node's unmet conditions.
   */
  waitReady(timeout?: number): Promise<void>;
  /** Resolves to the registry passwords once every node has one; rejects after two minutes (limits.ts). */
  passwords(): Promise<Passwords>;
  /**
   * Resolves to the registry passwords once every node has one that differs from `before`; rejects after `timeout`
   * milliseconds, by default three minutes (limits.ts).
   */
  rotated(before: Passwords, timeout?: number): Promise<Passwords>;
  /** Stops the nodes, the release mirror and the emulated cloud; the folder of the lab stays. */
  stop(): Promise<void>;
}

/** The content of each node's registries.yaml, by the name of the node. */
export type Passwords = Readonly<Record<string, string>>;

/** Prepares the nodes and starts the release mirror. The daemons do not start until the lab's `start()` is called. */
export async function runLab<Cloud extends LabCloud>(
  { dir, executable, k3sVersions, onLog }: RunOptions,
  { cloud, secrets, nodes: wanted }: LabGround<Cloud>,
): Promise<LabOn<Cloud>> {
  rmSync(dir, { recursive: true, force: true });
  const mirror = await startMirror(cloud, k3sVersions ? { k3sVersions } : {});
  const sockets = mkdtempSync(join(tmpdir(), 'slipway-lab-'));
  const processes = new Processes();
  const nodes = wanted.map(({ name, files }) => {
    const socket = join(sockets, `${name}.sock`);
    const options = { name, root: join(dir, name), socket, executable, files, processes };
    return new LabNode({ ...options, ...(onLog ? { onLog } : {}) });
  });
  await Promise.all(nodes.map((node) => node.prepare()));
  return {
    cloud,
    mirror,
    nodes,
    secrets,
    node: (name) => named(nodes, name),
    start: () => {
      for (const node of nodes) {
        node.start();
      }
    },
    waitReady: (timeout = lengthened(180_000)) => waitReady(nodes, timeout),
    passwords: async () => {
      const all = () => nodes.every((node) => passwordsOf(node) !== undefined);
      await until(lengthened(120_000), all, 'no registry passwords');
      return passwordsOfAll(nodes);
    },
    rotated: async (before, timeout = lengthened(180_000)) => {
      const all = () => nodes.every((node) => passwordsOf(node) !== before[node.name]);
      await until(timeout, all, 'no rotation');
      return passwordsOfAll(nodes);
    },
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
      await Promise.all([mirror.stop(), cloud.stop()]);
      rmSync(sockets, { recursive: true, force: true });
    },
  };
}

function named(nodes: readonly LabNode[], name: string): LabNode {
  const found = nodes.find((node) => node.name === name);
  if (!found) {
    throw new Error(`A node is ${nodes.map((node) => node.name).join(', ')}, not ${name || 'nothing'}.`);
  }
  return found;
}

function passwordsOf(node: LabNode): string | undefined {
  return node.read('etc/rancher/k3s/registries.yaml');
}

function passwordsOfAll(nodes: readonly LabNode[]): Passwords {
  return Object.fromEntries(nodes.map((node) => [node.name, passwordsOf(node) ?? '']));
}

async function waitReady(nodes: readonly LabNode[], timeout: number): Promise<void> {
  await until(timeout, () => nodes.every((node) => node.isReady)).catch((error) => {
    throw new Error(`${error.message}\n${nodes.map(waitsFor).join('\n')}`);
  });
}

async function until(timeout: number, happened: () => boolean, otherwise = 'not Ready'): Promise<void> {
  for (const end = Date.now() + timeout; !happened(); await sleep(50)) {
    if (Date.now() > end) {
      throw new Error(`After ${timeout / 1000} s: ${otherwise}.`);
    }
  }
}

function waitsFor(node: LabNode): string {
  const conditions = node.status()?.conditions ?? [];
  const open = conditions.filter(({ status }) => status !== 'True');
  const lines = open.map(({ type, status, reason, message }) => `  ${type} ${status} ${reason}: ${message}`);
  return [`${node.name}:`, ...lines, ...node.log.slice(-5).map((line) => `  log: ${line}`)].join('\n');
}
