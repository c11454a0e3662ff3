/**
 * Runs the agent of a joined node with only time and commands simulated: `node simulated-daemon.ts ROOT DAYS rotations`
 * or `... steady`.
 *
 * Settings, plan, Azure SDKs, requests to the emulated endpoints and files are those of the daemon, except that no file
 * is synced. A sleep ends at once. With `rotations`, a sleep of ten seconds or more takes two simulated hours, so that
 * each rotation has two passes: one rotates and one verifies. With `steady`, a sleep takes as much simulated time as it
 * asks for, so that the passes are as frequent as on a node. Each command runs once, and its answer is cached.
 * Idle connections close at each sleep, as on a node, whose passes are minutes apart. The kernel resolves the paths of
 * reads, as on a node, whose root is `/`.
 */
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type Report, run } from '../../src/agent/agent.ts';
import { alarm } from '../../src/agent/alarm.ts';
import type { Command, CommandResult, Host } from '../../src/agent/engine/host.ts';
import type { Outcome } from '../../src/agent/engine/resource.ts';
import { reveal } from '../../src/agent/engine/secret.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { turnMemory } from '../../src/agent/parts/maintenance/index.ts';
import { logEvents } from '../../src/agent/report/log.ts';
import { statusOf, writeStatus } from '../../src/agent/report/status.ts';
import { compose } from '../../src/commands/compose.ts';

/**
 * The figures of this process after a number of simulated days: memory in megabytes, and processor time in
 * milliseconds.
 */
export interface Look {
  readonly day: number;
  readonly rss: number;
  /** The heap after a full collection. */
  readonly heap: number;
  readonly cpu: number;
  readonly rotations: number;
  readonly passes: number;
  /** The processor time of each pass since the last look, from the end of the pass before it. */
  readonly eachPass: readonly number[];
}

const [root = '', days = '', pace = 'rotations'] = process.argv.slice(2);
const day = 86_400_000;
const start = Date.now();
/** The days between two measurements. */
const interval = Math.min(Number(days), Math.max(1, Number(days) / 10));
let time = start;
let looks = 0;
let rotations = 0;
let passes = 0;
let eachPass: number[] = [];
let before = process.cpuUsage();
/** The connections that are kept open for another request. */
const kept = new Set<Duplex>();

// The unit of K3s contains this path, which must not change for this node.
process.execPath = join(root, '.lab/slipway');
watchKept();
const stopped = new AbortController();
const log = logEvents({ hasTime: false, write: () => {} });
const { agent, paths } = await compose(
  { root, config: undefined, facts: undefined, settings: [] },
  // The daemon looks between its passes for nodes that ask for a turn.
  { emit: log.emit, wrap: simulated, turns: { ...turnMemory(), isWatched: true } },
);
const host = simulated(nodeHost());
await run(agent, { host, alarm: alarm(), signal: stopped.signal, publish, emit: log.emit });

async function publish(report: Report): Promise<void> {
  await writeStatus(host, paths.slipway.status, statusOf(report, { version: '0', pid: 1, now: time }));
  const [ready] = report.conditions;
  const { user, system } = process.cpuUsage(before);
  before = process.cpuUsage();
  passes += 1;
  eachPass.push((user + system) / 1e3);
  const rotated = ({ resource, state }: Outcome) =>
    resource.id === 'Credential/registries' && state === 'Changed';
  if (report.outcomes.some(rotated)) {
    rotations += 1;
  }
  if (looks > 0 && ready?.status !== 'True') {
    throw new Error(`${ready?.reason}: ${ready?.message}`);
  }
  if (time - start < looks * interval * day) {
    return;
  }
  look();
  if (time - start >= Number(days) * day) {
    stopped.abort();
  }
}

function look(): void {
  const { rss } = process.memoryUsage();
  globalThis.gc?.();
  const { heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const seen = {
    day: (time - start) / day,
    rss: rss / 1e6,
    heap: heapUsed / 1e6,
    cpu: (user + system) / 1e3,
    rotations,
    passes,
    eachPass,
  };
  eachPass = [];
  process.stdout.write(`${JSON.stringify(seen satisfies Look)}\n`);
  looks += 1;
}

function simulated(real: Host): Host {
  const { readFile, stat, list } = nodeHost();
  return {
    ...real,
    ...{ readFile, stat, list },
    now: () => time,
    monotonic: () => time,
    sleep: async (milliseconds) => {
      // The alarm divides a long sleep into pieces of half a minute (alarm.ts).
      time += milliseconds < 10_000 || pace === 'steady' ? milliseconds : 7_200_000;
      closeKept();
    },
    writeFile: (path, content, { mode }) => written(path, reveal(content), mode),
    query: remembered(real.query),
    run: remembered(real.run),
  };
}

/**
 * Writes a file in place, since 200,000 synced writes would take too long, and gives it the simulated time, by which
 * the agent judges when a copy from the vault is due.
 */
async function written(path: string, content: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content, { mode });
  await utimes(path, time / 1_000, time / 1_000);
}

/** Makes every agent tell which connections it keeps open after their request. */
function watchKept(): void {
  const keep = Agent.prototype.keepSocketAlive;
  Agent.prototype.keepSocketAlive = function (socket) {
    kept.add(socket);
    return keep.call(this, socket);
  };
}

function closeKept(): void {
  for (const socket of kept) {
    socket.destroy();
  }
  kept.clear();
}

function remembered(execute: (command: Command) => Promise<CommandResult>) {
  const results = new Map<string, Promise<CommandResult>>();
  return (command: Command) => {
    const line = JSON.stringify([command.file, command.args]);
    const result = results.get(line) ?? execute(command);
    results.set(line, result);
    return result;
  };
}
