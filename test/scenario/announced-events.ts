import type { Agent, Report } from '../../src/agent/agent.ts';
import { scheduledEvents } from '../../src/agent/clouds/azure/scheduled-events.ts';
import { eventMemory, lookForEvents } from '../../src/agent/parts/maintenance/index.ts';
import { metadataUrl, serveEvents } from '../lab/memory-events.ts';
import { isReady, live, noRestarts, type Vm, vm } from './a-vm.ts';

/** Boots a VM in Azure, and starts to ask for its events; `maintenance` is in the form of YAML. */
export async function inAzure(role: string, maintenance: string, priority: '' | 'Spot' = '') {
  const machine = vm(role, `${noRestarts}maintenance: { ${maintenance} }\n`);
  const served = serveEvents(machine.host, { name: 'vm_in_azure', priority });
  machine.cloud.events = scheduledEvents(machine.host, metadataUrl);
  const watched = watchedBy(machine);
  await live(watched.slipway, machine, 60_000, isReady);
  return { machine, served, ...watched };
}

/** A process of Slipway that asks for the events of its VM between its passes. */
export interface Watched {
  readonly slipway: Agent;
  /** Makes passes as the daemon does for `time` ms, or until `until` returns true; returns the last report. */
  lives(time: number, until?: (report: Report) => boolean): Promise<Report>;
}

/** Starts a process of Slipway on a VM whose cloud announces events. */
export function watchedBy(machine: Vm): Watched {
  const { host, cloud } = machine;
  const events = { ...eventMemory(), isWatched: true };
  const slipway = machine.slipway(undefined, { events });
  let look = host.now();
  async function lives(time: number, until = (_: Report) => false): Promise<Report> {
    const end = host.now() + time;
    for (;;) {
      const report = await slipway.pass();
      if (until(report) || host.now() >= end) {
        return report;
      }
      await sleepOrNews(Math.min(report.wake.at, end));
    }
  }
  /** Sleeps until a time, or until a request for the events returns news. */
  async function sleepOrNews(until: number): Promise<void> {
    for (let isNews = false; !isNews && host.now() < until; ) {
      await host.sleep(Math.max(0, Math.min(look, until) - host.now()));
      if (cloud.events && host.now() >= look) {
        isNews = await lookForEvents(events, cloud.events, host.monotonic());
        look = host.now() + (events.list?.nextAfter ?? 10_000);
      }
    }
  }
  return { slipway, lives };
}
