/**
 * Starts processes as the daemon does, from a process with the daemon's code: `node start-processes.ts COUNT`. Prints
 * the processor time of each start in this process, and that of the child, in milliseconds.
 */
import { readFileSync } from 'node:fs';
import { execute } from '../../src/agent/host/process/exec.ts';
import '../../src/commands/compose.ts';

const count = Number(process.argv[2]);
/** The clock ticks of the times in /proc/self/stat, in milliseconds (proc_pid_stat(5)). */
const tick = 10;

await start(20);
const [own, children] = [process.cpuUsage(), childTicks()];
await start(count);
const { user, system } = process.cpuUsage(own);
const daemon = (user + system) / 1_000 / count;
process.stdout.write(JSON.stringify({ daemon, child: ((childTicks() - children) * tick) / count }));

async function start(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await execute({ file: 'true', args: [] }, { PATH: '/usr/bin:/bin' });
  }
}

/** Returns the user and system time of the children that have ended. */
function childTicks(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[13]) + Number(fields[14]);
}
