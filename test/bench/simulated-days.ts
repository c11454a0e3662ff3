/**
 * Simulates years in minutes, to measure whether the memory of the daemon grows with its passes and rotations; and some
 * hours of a steady node, to measure the processor time of its passes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Row } from './measure.ts';
import { configure } from './rotation.ts';
import type { Look } from './simulated-daemon.ts';
import type { World } from './world.ts';

/** The number of days after which all code is compiled and all caches are filled. */
const warmUp = 100;

export async function simulatedDays({ lab }: World, days: number): Promise<readonly Row[]> {
  const node = lab.node('agent');
  await node.stopDaemon();
  configure(node, []);
  // Identity tokens expire before the next rotation.
  lab.azure.entra.tokenLifetime = 60_000;
  const looks = await lookedAt(node.root, days, 'rotations');
  const first = looks[0];
  const last = looks.at(-1);
  if (!first || !last) {
    throw new Error('nothing was seen of the simulated daemon');
  }
  const rotations = last.rotations;
  if (rotations < days * 11) {
    throw new Error(`only ${rotations} rotations in ${days} days`);
  }
  const steady = looks.filter(({ day }) => day >= Math.min(warmUp, days));
  const row = (measure: string, median: number, unit: Row['unit'] = 'MB'): Row => ({
    measure: `${days} simulated days (${rotations} rotations), ${measure}`,
    contender: 'sources on Node',
    unit,
    median,
    min: median,
    max: median,
    runs: 1,
  });
  return [
    row('RSS at first', first.rss),
    row('RSS at the end', last.rss),
    row('heap at first, collected', first.heap),
    row('heap at the end, collected', last.heap),
    row('growth of RSS in 1,000 days', 1_000 * slope(steady.map(({ day, rss }) => [day, rss]))),
    row('growth of heap in 1,000 days', 1_000 * slope(steady.map(({ day, heap }) => [day, heap]))),
    row('CPU of a rotation and two passes', (last.cpu - first.cpu) / rotations, 'ms'),
  ];
}

/**
 * Measures some hours of a steady agent and of a steady server. The time of the first pass, which loads and compiles
 * the code, does not count.
 */
export async function steadyHours({ lab }: World, hours: number): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const name of ['agent', 'server'] as const) {
    const node = lab.node(name);
    await node.stopDaemon();
    const looks = await lookedAt(node.root, hours / 24, 'steady');
    const [first, last] = [looks[0], looks.at(-1)];
    if (!first || !last || last.passes < hours * 10) {
      throw new Error(`${hours} simulated hours of the ${name} had only ${last?.passes} passes`);
    }
    const cpu = last.cpu - first.cpu;
    const passes = last.passes - first.passes;
    const row = (what: string, median: number): Row => ({
      measure: `${hours} simulated hours of a steady ${name} (${passes} passes), ${what}`,
      contender: 'sources on Node, without its commands',
      unit: 'ms',
      median,
      min: median,
      max: median,
      runs: 1,
    });
    rows.push(row('CPU', cpu), row('CPU of a pass', cpu / passes));
  }
  return rows;
}

async function lookedAt(root: string, days: number, pace: 'rotations' | 'steady'): Promise<readonly Look[]> {
  const script = join(import.meta.dirname, 'simulated-daemon.ts');
  const child = spawn(process.execPath, ['--expose-gc', script, root, `${days}`, pace], {
    env: { PATH: `${root}/.lab/bin:/usr/bin:/bin`, HOME: root },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const looks: Look[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => looks.push(JSON.parse(line)));
  const [exitCode] = await once(child, 'close');
  if (exitCode !== 0) {
    throw new Error(`the simulated daemon ended with ${exitCode}`);
  }
  return looks;
}

/**
 * Returns the slope of the straight line that best fits the points (least squares); 0 if all points have the same x.
 */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const spread = mean(points.map(([x]) => (x - mx) ** 2));
  return spread === 0 ? 0 : mean(points.map(([x, y]) => (x - mx) * (y - my))) / spread;
}
