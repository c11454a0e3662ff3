/**
 * `npm run bench -- [--with-az] [--runs N] [--days N] [--quick]`: compares Slipway with scripts that do the same work
 * against the same emulated endpoints, and measures both in turn. Needs neither root nor a network; also writes the
 * figures to dist/bench.json.
 *
 * `--with-az` also measures the Azure CLI; `--runs` and `--days` set the numbers of runs and of simulated days.
 * `--quick` only checks that everything works: one run, three days, no minute of idling, no xz.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isInstalled } from '../../packaging/run.ts';
import { isPackaged, packaged } from '../lab/executable.ts';
import { dayRows, processCost, processRows } from './day.ts';
import { eventQuestions } from './events.ts';
import { machine } from './machine.ts';
import type { Row } from './measure.ts';
import { type IdleMinute, idleMemory, memoryNow } from './memory.ts';
import { provider } from './provider.ts';
import { rotation } from './rotation.ts';
import { simulatedDays, steadyHours } from './simulated-days.ts';
import { sizes } from './sizes.ts';
import { startUp } from './start-up.ts';
import { table } from './table.ts';
import { transfers } from './transfers.ts';
import { startWorld, type World } from './world.ts';

const { values: options } = parseArgs({
  options: {
    'with-az': { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    days: { type: 'string' },
  },
});
const repository = join(import.meta.dirname, '../..');
const { quick } = options;
const runs = Number(options.runs ?? (quick ? 1 : 15));
const days = Number(options.days ?? (quick ? 3 : 1_000));
const notes: string[] = [];

if (!(runs >= 1)) {
  throw new Error('--runs takes a number of runs, at least 1');
}
if (!isPackaged()) {
  execFileSync(process.execPath, ['packaging/package.ts', process.arch], {
    cwd: repository,
    stdio: 'inherit',
  });
}
const rows = await measured();
const about = machine();
writeFileSync(
  join(repository, 'dist/bench.json'),
  `${JSON.stringify({ machine: about, rows, notes }, undefined, 2)}\n`,
);
process.stdout.write(`\n${table(about, rows, notes)}`);
// An open pipe of a killed process would keep this process alive.
process.exit();

async function measured(): Promise<readonly Row[]> {
  const world = await startWorld({
    hasAzureCli: has('az', options['with-az'], 'the Azure CLI was not measured'),
  });
  try {
    const first = [
      ...(await told('start-up', startUp(world, runs))),
      ...(await told('rotation', rotation(world, runs))),
      ...(await told('credential provider', provider(world, runs))),
    ];
    const idle = quick ? { rows: memoryNow(world) } : await told('idle minute', idleMemory(world, runs, 60));
    return [
      ...first,
      ...idle.rows,
      ...(await told('steady days', steadyDays(world, 'idleMinute' in idle ? idle.idleMinute : undefined))),
      ...(await told('questions about events', eventQuestions(world, quick ? 100 : 2_000))),
      ...(await told('transfers of a large file', transfers(quick ? 50 : 1_000))),
      ...(await told('sizes', sizes(packaged, has('xz', !quick, 'the size as xz was not measured')))),
    ];
  } finally {
    await world.stop();
  }
}

async function steadyDays(world: World, idleMinute?: IdleMinute): Promise<readonly Row[]> {
  const { rows, rotation } = await simulatedDays(world, days);
  const cost = await processCost(quick ? 20 : 200);
  const ofRoles: Row[] = [];
  for (const role of ['agent', 'server'] as const) {
    const steady = await steadyHours(world, role, quick ? 2 : 24);
    const day = dayRows({ role, pass: steady.pass, rotation, idleMinute: idleMinute?.[role] }, cost);
    ofRoles.push(...steady.rows, ...day);
  }
  return [...rows, ...processRows(cost), ...ofRoles];
}

/**
 * True if a command is requested and installed. If a requested command is not installed, notes this, and `otherwise` as
 * the consequence.
 */
function has(command: string, wished: boolean, otherwise: string): boolean {
  const found = wished && isInstalled(command);
  if (wished && !found) {
    note(`${command} is not installed, so ${otherwise}.`);
  }
  return found;
}

function note(text: string): void {
  notes.push(text);
}

async function told<Result>(what: string, work: Promise<Result>): Promise<Result> {
  process.stderr.write(`${what} ...\n`);
  return work;
}
