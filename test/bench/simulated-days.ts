/**
 * Simulates years in minutes, to measure whether the memory of the daemon grows with its passes and rotations; and some
 * hours of a steady node, to measure the processor time of its passes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Row, rowsOf } from './measure.ts';
import { configure } from './rotation.ts';
import type { Look } from './simulated-daemon.ts';
import type { World } from './world.ts';

/** The number of days after which all code is compiled and all caches are filled. */
const warmUp = 100;

/** Returns the figures of these days, and the cost of a rotation with its two passes. */
export async function simulatedDays(
  { lab }: World,
  days: number,
): Promise<{ readonly rows: readonly Row[]; readonly rotation: number }> {
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
  const rotation = (last.cpu - first.cpu) / rotations;
  const rows = [
    row('RSS at first', first.rss),
    row('RSS at the end', last.rss),
    row('heap at first, collected', first.heap),
    row('heap at the end, collected', last.heap),
    row('growth of RSS in 1,000 days', 1_000 * slope(steady.map(({ day, rss }) => [day, rss]))),
    row('growth of heap in 1,000 days', 1_000 * slope(steady.map(({ day, heap }) => [day, heap]))),
    row('CPU of a rotation and two passes', rotation, 'ms'),
  ];
  return { rows, rotation };
}

/** The number of passes after which the code of a pass is compiled. */
const warmPasses = 50;

/**
 * Measures some hours of a steady agent or server. Returns the median cost of a pass after the first 50, which load and
 * compile the code, or in a short run after the first half.
 */
export async function steadyHours(
  { lab }: World,
  role: 'agent' | 'server',
  hours: number,
): Promise<{ readonly rows: readonly Row[]; readonly pass: number }> {
  // As in Azure, an identity token lives for a day.
  lab.azure.entra.tokenLifetime = 86_399_000;
  const node = lab.node(role);
  await node.stopDaemon();
  const looks = await lookedAt(node.root, hours / 24, 'steady');
  const passes = looks.flatMap(({ eachPass }) => eachPass);
  if (passes.length < hours * 10) {
    throw new Error(`${hours} simulated hours of the ${role} had only ${passes.length} passes`);
  }
  const warm = Math.min(warmPasses, Math.floor(passes.length / 2));
  const rows = [passes.slice(1, 6), passes.slice(warm)].flatMap((each, index) =>
    rowsOf(
      `pass of a steady ${role}${index === 0 ? ', the 2nd to 6th' : ` after the first ${warm}`}`,
      'sources on Node, without its commands',
      'ms',
      each.map((CPU) => ({ CPU })),
    ),
  );
  return { rows, pass: rows[1]?.median ?? Number.NaN };
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
