/** Measures what it costs the daemon to ask the cloud for events (`maintenance.scheduledEvents`). */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Row } from './measure.ts';
import type { World } from './world.ts';

const script = join(import.meta.dirname, 'poll-events.ts');

/** Asks `count` times over a kept connection and over new ones; returns the cost of a question and of a day. */
export async function eventQuestions({ lab }: World, count: number): Promise<readonly Row[]> {
  const url = lab.azure.imdsUrl('agent');
  return [
    ...rows('each ten seconds', await questionCost(url, count, 'new'), 8_640, count),
    ...rows('each second, on a Spot VM', await questionCost(url, count, 'kept'), 86_400, count),
  ];
}

async function questionCost(url: string, count: number, connection: 'new' | 'kept'): Promise<number> {
  // This process answers the questions, so it must not block.
  const { stdout } = await promisify(execFile)(process.execPath, [script, url, `${count}`, connection]);
  return Number(stdout);
}

function rows(pace: string, cost: number, perDay: number, runs: number): readonly Row[] {
  const row = (measure: string, value: number): Row => ({
    measure: `question about events ${pace}, ${measure}`,
    contender: 'sources on Node',
    unit: 'ms',
    median: value,
    min: value,
    max: value,
    runs,
  });
  return [row('CPU', cost), row('CPU of a day', cost * perDay)];
}
