import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pod } from '../unit/agent/parts/maintenance/drain/some-pods.ts';
import { packaged } from './executable.ts';
import { type Lab, startLab } from './lab.ts';
import type { LabNode } from './node.ts';

const dir = join(tmpdir(), `slipway-events-${process.pid}`);
const settings = { maintenance: { scheduledEvents: 'drain' } };
const patience = { timeout: 120_000, interval: 200 };
const objects = 'var/lib/rancher/k3s/server/db/objects';

describe('an event that Azure announces', () => {
  let lab: Lab;
  let server: LabNode;
  let agent: LabNode;

  beforeAll(async () => {
    expect(existsSync(packaged), `${packaged} is there: npm run package makes it`).toBe(true);
    lab = await startLab({ dir, executable: [packaged], nodes: ['server', 'agent'], settings });
    [server, agent] = [lab.node('server'), lab.node('agent')];
    for (const { name } of lab.nodes) {
      // The daemon asks each second for the events of a Spot VM.
      lab.azure.node(name).vm.priority = 'Spot';
    }
    lab.start();
    await lab.waitReady();
  });

  afterAll(async () => {
    await lab?.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  function condition(node: LabNode, wanted: string): string {
    const found = node.status()?.conditions.find(({ type }) => type === wanted);
    return `${found?.status} ${found?.reason}`;
  }

  function isCordoned(): boolean {
    const found = JSON.parse(server.read(`${objects}/nodes/_/vm-agent.json`) ?? '{}');
    return found.spec?.unschedulable === true;
  }

  test('empties an agent, which then lets the event begin, and accepts pods again after the event', async () => {
    const web = pod('web', { node: 'vm-agent' });
    const metadata = { ...web.metadata, uid: 'a-pod' };
    server.write(`${objects}/pods/default/web.json`, JSON.stringify({ ...web, metadata }));
    const id = lab.azure.events.announce({ type: 'Preempt', vms: ['agent'] });
    const announced = Date.now();
    await expect.poll(() => lab.azure.events.acknowledged, patience).toEqual([id]);
    expect(Date.now() - announced).toBeLessThan(30_000);
    expect(isCordoned()).toBe(true);
    expect(server.read(`${objects}/pods/default/web.json`)).toBeUndefined();
    await expect.poll(() => condition(agent, 'Maintenance'), patience).toBe('Unknown EventScheduled');
    expect(condition(agent, 'Ready')).toBe('True InSync');
    lab.azure.events.end(id);
    await expect.poll(isCordoned, patience).toBe(false);
    await expect.poll(() => condition(agent, 'Maintenance'), patience).toBe('True InSync');
  });

  test('stops K3s on the only server before the VM is evicted, and starts K3s again if the event is cancelled', async () => {
    const id = lab.azure.events.announce({ type: 'Preempt', vms: ['server'] });
    await expect.poll(() => condition(server, 'K3sRunning'), patience).toBe('Unknown EventScheduled');
    lab.azure.events.end(id);
    await expect.poll(() => condition(server, 'Ready'), patience).toBe('True InSync');
    expect(lab.azure.events.acknowledged).not.toContain(id);
  });
});
