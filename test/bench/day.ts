/** Adds up what a day of a steady node costs. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Row } from './measure.ts';

const passes = 288;
/** Twelve rotations, since a password of Azure's registry lives for three hours and is renewed after two. */
const rotations = 12;
const minutes = 1_440;
/** One process in each pass shows the units, and one lists the guard; WatchdogSec= needs one every five minutes. */
const processes = 2 * passes + 288;

/** What the daemon of a role costs in milliseconds of processor time. */
export interface Parts {
  readonly role: 'server' | 'agent';
  readonly pass: number;
  /** A rotation with its two passes. */
  readonly rotation: number;
  /** A minute between two passes; `undefined` if it was not measured. */
  readonly idleMinute: number | undefined;
}

/** What it costs to run a process that does nothing, in milliseconds of processor time. */
export interface ProcessCost {
  readonly daemon: number;
  readonly child: number;
}

/** Measures the cost of processes that run `true`. */
export async function processCost(count: number): Promise<ProcessCost> {
  const script = join(import.meta.dirname, 'start-processes.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, `${count}`]);
  return JSON.parse(stdout);
}

/** Returns the cost of a process that does nothing. */
export function processRows({ daemon, child }: ProcessCost): readonly Row[] {
  return [
    row('start of a process, CPU of the daemon', daemon),
    row('start of a process, CPU of the child, which runs `true`', child),
  ];
}

/** Returns the cost of a day by part, and the sum for the daemon without its child processes. */
export function dayRows({ role, pass, rotation, idleMinute }: Parts, cost: ProcessCost): readonly Row[] {
  const parts = {
    [`${passes} passes`]: passes * pass,
    [`${rotations} rotations`]: rotations * rotation,
    [`the start of ${processes} processes`]: processes * cost.daemon,
    ...(idleMinute !== undefined && { 'the time between the passes': minutes * idleMinute }),
  };
  const sum = Object.values(parts).reduce((total, each) => total + each, 0);
  const of = (what: string) => `24 hours of a steady ${role}, CPU of ${what}`;
  return [
    ...Object.entries(parts).map(([what, value]) => row(of(what), value)),
    row(of('all parts, without the child processes'), sum),
  ];
}

function row(measure: string, value: number): Row {
  return {
    measure,
    contender: 'sources on Node',
    unit: 'ms',
    median: value,
    min: value,
    max: value,
    runs: 1,
  };
}
