/** How long a first boot took, told from outside: by the journal, and by what the kernel counted of the daemon. */
import { readFileSync } from 'node:fs';
import { type BootedHost, eventually } from './booted-host.ts';
import type { Cluster } from './cluster.ts';
import type { JournalEntry } from './journal.ts';

/** Clock ticks of /proc/PID/stat a second: sysconf(_SC_CLK_TCK), 100 on every Linux that Node runs on. */
const ticks = 100;

/** When the vault had what the nodes waited for, epoch milliseconds, and what each of them had worked while it waited. */
export interface Prepared {
  readonly at: number;
  /** CPU seconds, by host. */
  readonly workWaiting: ReadonlyMap<string, number>;
}

/**
 * Prints, for every host, the seconds from power-on to Ready, and where they went: booting until the daemon runs; the
 * daemon's own work (its CPU time, without that of asking while it waited); and waiting, for the vault until it was
 * prepared, and for the rest: K3s, the server, and the next look.
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
    if (!found) throw new Error(`The journal of ${host.name} has no ${pattern}.`);
    return (found.time - host.poweredOnAt) / 1000;
  };
  return { boot: at(/^Starting slipway\.service/), ready: at(isReady), ...(await workOf(host)) };
}

/** What the daemon has worked since it was started, and the programs that it ran and that have ended; CPU seconds. */
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

/** The daemon's journal, once it says that the node is Ready: the status is there before. */
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
