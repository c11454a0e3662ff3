import { expect, test } from 'vitest';
import { converge, run } from '../../../src/agent/agent.ts';
import { alarm } from '../../../src/agent/alarm.ts';
import { NodeError } from '../../../src/agent/engine/errors.ts';
import type { Event } from '../../../src/agent/engine/events.ts';
import { isReady, type Vm, vm } from '../../scenario/a-vm.ts';

const minute = 60_000;

/**
 * Runs the daemon's loop for `passes` passes. `rings` maps the number of a pass to the reason why the alarm rings after
 * that pass. Returns the events, and the time at the end of each pass.
 */
async function daemon(machine: Vm, passes: number, rings: Readonly<Record<number, string>> = {}) {
  const clock = alarm();
  const stopped = new AbortController();
  const events: Event[] = [];
  const times: number[] = [];
  machine.host.jobs.onEnd = () => clock.ring('the end of a job');
  await run(machine.slipway(), {
    host: machine.host,
    alarm: clock,
    signal: stopped.signal,
    emit: (event) => events.push(event),
    publish: async () => {
      times.push(machine.host.now());
      const ring = rings[times.length];
      if (ring) {
        clock.ring(ring);
      }
      if (times.length === passes) {
        stopped.abort();
      }
    },
  });
  return { events, times };
}

test('the main loop retries a failure at once on SIGHUP, but not when another event wakes it', async () => {
  const machine = vm('server');
  machine.cloud.fail('secret', new NodeError('VaultWrongTenant', 'no', { endedBy: 'person' }));
  await daemon(machine, 6);
  const before = machine.cloud.calls.filter((call) => call.startsWith('secret')).length;
  await daemon(machine, 3, { 1: 'schedule' });
  expect(machine.cloud.calls.filter((call) => call.startsWith('secret')).length).toBe(before + 1);
  await daemon(machine, 3, { 1: 'SIGHUP' });
  expect(machine.cloud.calls.filter((call) => call.startsWith('secret')).length).toBe(before + 3);
});

test('the main loop ends after the pass during which its signal is aborted', async () => {
  const { events, times } = await daemon(vm('server'), 2);
  expect(times).toHaveLength(2);
  expect(events.filter(({ type }) => type === 'Sleeping')).toHaveLength(1);
});

test('the end of a job wakes the main loop, which installs the download at once, even after a failed attempt', async () => {
  const machine = vm('agent');
  const start = machine.host.now();
  machine.host.jobs.lasting = 20_000;
  machine.host.onDownload(/k3s$/, new NodeError('DownloadFailed', 'it broke off'), true);
  const { events } = await daemon(machine, 40);
  expect(events).toContainEqual({ type: 'Woken', by: 'the end of a job' });
  const { modifiedAt = 0 } = machine.host.files.stat('/usr/local/bin/k3s') ?? {};
  expect(modifiedAt - start).toBe(42_000);
});

test('converge returns when the node is Ready', async () => {
  const machine = vm('server');
  const report = await converge(machine.slipway(), machine.host, machine.host.now() + 5 * minute);
  expect(isReady(report)).toBe(true);
});

test('converge returns at its timeout at the latest', async () => {
  const machine = vm('server');
  machine.cloud.secrets.delete('k3s-token');
  const start = machine.host.now();
  const report = await converge(machine.slipway(), machine.host, start + minute);
  expect(report.conditions[0]?.status).toBe('Unknown');
  expect(machine.host.now() - start).toBeLessThanOrEqual(minute);
});

test('converge returns at once if only an operator can help', async () => {
  const machine = vm('server');
  machine.cloud.fail('secret', new NodeError('VaultWrongTenant', 'no', { endedBy: 'person' }));
  const start = machine.host.now();
  const report = await converge(machine.slipway(), machine.host, start + 60 * minute);
  expect(report.conditions[0]).toMatchObject({ status: 'False', reason: 'VaultWrongTenant' });
  expect(machine.host.now() - start).toBeLessThan(minute);
});
