/** Measures the memory of an idle daemon on a joined node. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../lab/lab.ts';
import { type Row, rowsOf, type Sample } from './measure.ts';
import { memoryOf } from './processes.ts';
import { joinedLab, type World } from './world.ts';

/** Measures two agents in each of several labs, `seconds` after the nodes of the lab became Ready. */
export async function idleMemory(world: World, runs: number, seconds: number): Promise<readonly Row[]> {
  const measured: Promise<readonly Sample[]>[] = [];
  for (let number = 0; number < Math.ceil(runs / 2); number += 1) {
    const lab = await joinedLab(join(world.dir, `idle-${number}`), ['server', 'agent', 'observability']);
    measured.push(afterSeconds(lab, seconds));
  }
  const samples = (await Promise.all(measured)).flat();
  return rowsOf(`idle after ${seconds} s`, 'slipway run', 'MB', samples);
}

/** Measures the agent of `world` once, without waiting. */
export function memoryNow({ lab }: World): readonly Row[] {
  return rowsOf('idle now', 'slipway run', 'MB', [memoryOf(lab.node('agent').pid ?? 0)]);
}

async function afterSeconds(lab: Lab, seconds: number): Promise<readonly Sample[]> {
  await sleep(seconds * 1_000);
  const samples = [lab.node('agent'), lab.node('observability')].map(({ pid }) => memoryOf(pid ?? 0));
  await lab.stop();
  return samples;
}
