/** Measures the time from the start of a process to its first result. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type BareNode, bareNode } from './bare-node.ts';
import { arrival } from './files.ts';
import { type Contender, interleaved, type Row, type Sample } from './measure.ts';
import { cpuOf, kill } from './processes.ts';
import type { World } from './world.ts';

export async function startUp(world: World, runs: number): Promise<readonly Row[]> {
  const { executable } = world;
  const floor: Contender = { name: 'node -e 0', run: () => untilExit(world, [process.execPath, '-e', '0']) };
  const ready = await interleaved('exec to ready', runs, [
    floor,
    { name: 'slipway version', run: () => untilExit(world, [executable, 'version']) },
    { name: 'slipway run', run: () => untilReady(world) },
  ]);
  const token = await interleaved('exec to token', runs, [
    floor,
    { name: 'slipway run', run: () => untilToken(world) },
    script(world, 'token.sh', 'curl and jq'),
    ...(world.hasAzureCli ? [script(world, 'az.sh', 'Azure CLI')] : []),
  ]);
  return [...ready, ...token];
}

async function untilExit(world: World, [file = '', ...args]: readonly string[]): Promise<Sample> {
  return onBareNode(world, async ({ environment }) => {
    const begun = performance.now();
    const child = spawn(file, args, { env: environment, stdio: 'ignore' });
    await once(child, 'exit');
    return { wall: performance.now() - begun };
  });
}

/** Measures wall and CPU time until the service manager receives READY=1, and the time until the first log line. */
async function untilReady(world: World): Promise<Sample> {
  return onBareNode(world, async ({ root, environment }) => {
    const ready = world.notifications.next('--ready');
    const begun = performance.now();
    const child = spawn(world.executable, ['run', '--root', root], {
      env: environment,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let logged = Number.NaN;
    child.stdout.once('data', () => {
      logged = performance.now() - begun;
    });
    await ready;
    const sample = { wall: performance.now() - begun, CPU: cpuOf(child.pid ?? 0), 'first line': logged };
    await kill(child);
    return sample;
  });
}

/** Measures wall and CPU time until the join token is in its file, on a node that has only settings and K3s. */
async function untilToken(world: World): Promise<Sample> {
  return onBareNode(world, async ({ root, environment }) => {
    const there = arrival(join(root, 'var/lib/slipway/join-token'));
    const begun = performance.now();
    const child = spawn(world.executable, ['run', '--root', root], { env: environment, stdio: 'ignore' });
    await there;
    const sample = { wall: performance.now() - begun, CPU: cpuOf(child.pid ?? 0) };
    await kill(child);
    return sample;
  });
}

function script(world: World, name: string, contender: string): Contender {
  const run = () =>
    onBareNode(world, async ({ root, environment }) => {
      const env = { ...environment, ...world.scriptEnvironment, OUT: join(root, 'join-token') };
      const there = arrival(env.OUT);
      const begun = performance.now();
      const child = spawn(join(import.meta.dirname, name), { env, stdio: ['ignore', 'ignore', 'pipe'] });
      const said = text(child.stderr);
      const ended = once(child, 'exit').then(async ([code]) => {
        if (code !== 0) {
          throw new Error(`${name} ended with ${code}: ${await said}`);
        }
      });
      await Promise.race([there, ended.then(() => there)]);
      const wall = performance.now() - begun;
      await ended;
      return { wall };
    });
  return { name: contender, run };
}

async function onBareNode(world: World, run: (node: BareNode) => Promise<Sample>): Promise<Sample> {
  const node = bareNode(world.bareness);
  try {
    return await run(node);
  } finally {
    node.remove();
  }
}
