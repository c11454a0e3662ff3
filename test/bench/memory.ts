/** Measures the memory and the processor time of an idle daemon on a joined node. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../lab/lab.ts';
import { type Row, rowsOf, type Sample } from './measure.ts';
import { cpuOf, memoryOf } from './processes.ts';
import { joinedLab, type World } from './world.ts';

/** The processor time of a minute between two passes in milliseconds. */
export interface IdleMinute {
  readonly server: number;
  readonly agent: number;
}

/**
 * Measures two agents in each of several labs, `seconds` after the nodes of the lab became Ready, and the processor
 * time of the last half of these seconds on a server and an agent.
 */
export async function idleMemory(
  world: World,
  runs: number,
  seconds: number,
): Promise<{ readonly rows: readonly Row[]; readonly idleMinute: IdleMinute }> {
  const measured: Promise<Idle>[] = [];
  for (let number = 0; number < Math.ceil(runs / 2); number += 1) {
    const lab = await joinedLab(join(world.dir, `idle-${number}`), ['server', 'agent', 'observability']);
    measured.push(afterSeconds(lab, seconds));
  }
  const idle = await Promise.all(measured);
  const memory = idle.flatMap((each) => each.memory);
  const minutes = idle.map((each) => each.minute);
  const rows = [
    ...rowsOf(`idle after ${seconds} s`, 'slipway run', 'MB', memory),
    ...rowsOf('CPU of an idle minute', 'slipway run', 'ms', minutes),
  ];
  const [server, agent] = rows.slice(-2).map(({ median }) => median);
  return { rows, idleMinute: { server: server ?? Number.NaN, agent: agent ?? Number.NaN } };
}

/** Measures the agent of `world` once, without waiting. */
export function memoryNow({ lab }: World): readonly Row[] {
  return rowsOf('idle now', 'slipway run', 'MB', [memoryOf(lab.node('agent').pid ?? 0)]);
}

interface Idle {
  readonly memory: readonly Sample[];
  readonly minute: Sample;
}

async function afterSeconds(lab: Lab, seconds: number): Promise<Idle> {
  const [server, ...agents] = [lab.node('server'), lab.node('agent'), lab.node('observability')];
  const cpu = () => [server, agents[0]].map((node) => cpuOf(node?.pid ?? 0));
  await sleep(seconds * 500);
  const before = cpu();
  await sleep(seconds * 500);
  const [ofServer = 0, ofAgent = 0] = cpu().map((time, at) => (time - (before[at] ?? 0)) * (120 / seconds));
  const memory = agents.map(({ pid }) => memoryOf(pid ?? 0));
  await lab.stop();
  return { memory, minute: { server: ofServer, agent: ofAgent } };
}
