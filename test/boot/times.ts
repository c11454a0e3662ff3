/** Measures a first boot from outside: from the journal, and from the kernel's CPU counters for the daemon. */
import { readFileSync } from 'node:fs';
import { type BootedHost, eventually } from './booted-host.ts';
import type { Cluster } from './cluster.ts';
import type { JournalEntry } from './journal.ts';

/** Clock ticks per second in /proc/PID/stat (sysconf(_SC_CLK_TCK)), which are 100 on every Linux that Node supports. */
const ticks = 100;

/** The time at which the vault got the secrets, in epoch milliseconds, and the daemons' CPU time while they waited. */
export interface Prepared {
  readonly at: number;
  /** The CPU seconds that each host's daemon used after it had reported that it was waiting, by host name. */
  readonly workWaiting: ReadonlyMap<string, number>;
}

/**
 * Prints the seconds from power-on to Ready for every host, in parts: boot, until the daemon starts; the CPU time of
 * the daemon, except while it waited for the vault; waiting for the vault; and the rest, such as K3s and the server.
 */
export async function printTimes(cluster: Cluster, { at, workWaiting }: Prepared): Promise<void> {
  for (const host of cluster.hosts) {
    const { boot, ready, work: total, children } = await timesOf(host);
    const asking = workWaiting.get(host.name) ?? 0;
    const work = total - asking;
    const forVault = Math.max(0, (at - host.poweredOnAt) / 1000 - boot);
    const told = [
      `${host.name}: Ready ${seconds(ready)} after power-on`,
      `boot and cloud-init ${seconds(boot)}`,
      `Slipway's own work ${seconds(work)} (with the programs it ran ${seconds(work + children)}, and ${seconds(asking)} of asking the vault)`,
      `waiting for the vault ${seconds(forVault)}`,
      `the rest, downloads and waiting for K3s and the server, ${seconds(ready - boot - work - forVault)}`,
    ];
    process.stdout.write(`${told.join('; ')}\n`);
  }
}

async function timesOf(host: BootedHost) {
  const journal = await told(host);
  const at = (pattern: RegExp) => {
    const found = journal.find(({ message }) => pattern.test(message));
    if (!found) {
      throw new Error(`The journal of ${host.name} has no ${pattern}.`);
    }
    return (found.time - host.poweredOnAt) / 1000;
  };
  return { boot: at(/^Starting slipway\.service/), ready: at(isReady), ...(await workOf(host)) };
}

/**
 * Resolves to the CPU seconds of the daemon since its start (`work`), and of its child processes that have exited
 * (`children`).
 */
export async function workOf(
  host: BootedHost,
): Promise<{ readonly work: number; readonly children: number }> {
  const { MainPID = '' } = await host.show('slipway.service', 'MainPID');
  const stat = readFileSync(host.path(`/proc/${MainPID}/stat`), 'utf8').replace(/^.*\) /, '');
  const [user = 0, system = 0, ofChildren = 0, systemOfChildren = 0] = stat
    .split(' ')
    .slice(11, 15)
    .map(Number);
  return { work: (user + system) / ticks, children: (ofChildren + systemOfChildren) / ticks };
}

/**
 * Waits until the daemon's journal shows that the node is Ready, and resolves to the journal. The Ready condition in
 * status.json is not enough: the daemon logs before it writes that file, but journald may store the line later.
 */
async function told(host: BootedHost): Promise<readonly JournalEntry[]> {
  let journal: readonly JournalEntry[] = [];
  await eventually('the journal to say Ready', async () => {
    journal = await host.journal('-u', 'slipway.service');
    return journal.some(({ message }) => isReady.test(message));
  });
  return journal;
}

const isReady = /^condition changed \{"condition":"Ready","status":"True"/;

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}
