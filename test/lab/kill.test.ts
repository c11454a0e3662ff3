import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { packaged } from './executable.ts';
import { type Lab, type LabRole, startLab } from './lab.ts';
import type { LabNode } from './node.ts';

/**
 * When to kill each daemon: after this many changes since its start, plus this many milliseconds, which lets some kills
 * hit the middle of a change.
 */
const kills: Readonly<Record<LabRole, readonly (readonly [number, number])[]>> = {
  server: [
    [1, 0],
    [2, 5],
    [1, 40],
    [1, 0],
    [1, 60],
    [1, 15],
    [1, 100],
    [1, 200],
  ],
  agent: [
    [2, 5],
    [1, 30],
    [2, 0],
    [1, 80],
    [1, 20],
    [1, 150],
  ],
  observability: [
    [1, 20],
    [2, 60],
    [1, 10],
    [2, 0],
    [1, 120],
    [1, 300],
  ],
};

test('nodes whose daemons are killed at twenty points of the first boot reach the same state as undisturbed nodes', async () => {
  const undisturbed = await boot('undisturbed', async (lab) => {
    lab.start();
    await lab.waitReady();
  });
  let count = 0;
  const disturbed = await boot('killed', async (lab) => {
    const lives = Object.entries(kills).map(([role, points]) => live(lab.node(role as LabRole), points));
    count = (await Promise.all(lives)).reduce((sum, each) => sum + each, 0);
    await lab.waitReady();
  });
  expect(count).toBe(20);
  expect(disturbed).toEqual(undisturbed);
});

/**
 * Kills and restarts the daemon at each point, or earlier if the node becomes Ready; resolves to the number of kills.
 */
async function live(node: LabNode, points: readonly (readonly [number, number])[]): Promise<number> {
  node.start();
  for (const [changes, delay] of points) {
    const before = changesOf(node);
    while (changesOf(node) < before + changes && !node.isReady) {
      await sleep(1);
    }
    await sleep(delay);
    await node.stopDaemon('SIGKILL');
    node.start();
  }
  return points.length;
}

function changesOf(node: LabNode): number {
  return node.log.filter((line) => line.includes('"changed"')).length;
}

async function boot(name: string, run: (lab: Lab) => Promise<void>): Promise<object> {
  const dir = join(tmpdir(), `slipway-kill-${name}-${process.pid}`);
  const lab = await startLab({ dir, executable: [packaged] });
  try {
    await run(lab);
    // Stop the daemons first, so that no file is compared while it is being written.
    await Promise.all(lab.nodes.map((node) => node.stop()));
    return Object.fromEntries(lab.nodes.map((node) => [node.name, endState(node.root)]));
  } finally {
    await lab.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Returns the mode of every path below `root` that `incomparable` does not match. If the path ends with an entry of
 * `comparable`, the file's content follows the mode, with placeholders for the lab's folder and for ports.
 */
function endState(root: string): Readonly<Record<string, string>> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !incomparable.test(relative(root, path)))
    .map((path): [string, string] => [relative(root, path), described(path)]);
  return Object.fromEntries(entries.sort());
}

/** Matches paths that may differ between two boots, such as the files of events, whose names are random. */
const incomparable = /^(\.lab|etc\/slipway|var\/lib\/rancher\/k3s\/server\/db\/objects\/events)/;

function described(path: string): string {
  const found = lstatSync(path);
  const mode = (found.mode & 0o777).toString(8);
  if (!found.isFile() || !comparable.some((part) => path.endsWith(part))) {
    return mode;
  }
  const text = readFileSync(path, 'utf8')
    .replaceAll(/slipway-kill-\w+-\d+/g, 'DIR')
    .replaceAll(/:?\b\d{4,5}\b/g, 'PORT');
  return `${mode} ${text}`;
}

const comparable = ['/config.yaml', '.service', '.conf', '/usr/local/bin/k3s'];
