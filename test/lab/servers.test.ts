import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { etcdMissing } from '../stand-ins/a-cluster.ts';
import { packaged } from './executable.ts';
import { type ClusterNode, nodesOf } from './platforms/servers.ts';
import { type ServersLab, servedWithin, startServersLab } from './servers.ts';

const dir = join(tmpdir(), `slipway-servers-lab-${process.pid}`);
const patience = { timeout: servedWithin, interval: 1_000 };

describe.skipIf(etcdMissing !== undefined)(
  `three servers and an agent from the same settings${etcdMissing === undefined ? '' : ` (skipped: ${etcdMissing})`}`,
  () => {
    let lab: ServersLab;

    beforeAll(async () => {
      lab = await startServersLab(3, { dir, executable: [packaged] });
      lab.start();
      await lab.waitReady(servedWithin);
    }, servedWithin + 60_000);

    afterAll(async () => {
      await lab?.stop();
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    });

    test('are Ready in one cluster, which the marked server founded and the others joined', async () => {
      const all = (votes: boolean) => expect.objectContaining({ isReady: true, votes });
      await expect
        .poll(() => nodesOf(lab.node('server-3')), patience)
        .toEqual([all(false), all(true), all(true), all(true)]);
      const config = (name: string) => lab.node(name).read('etc/rancher/k3s/config.yaml') ?? '';
      expect(config('server-1')).toContain('cluster-init: true');
      expect(config('server-2')).toMatch(/^server: /m);
      expect(config('server-2')).not.toContain('cluster-init');
    });

    test('go on when one server is lost, and take it back', async () => {
      await lab.node('server-2').powerOff();
      const seen = async () => states(await nodesOf(lab.node('server-1')));
      await expect.poll(seen, patience).toMatchObject({ 'vm-server-2': false, 'vm-agent': true });
      await lab.node('server-2').boot();
      lab.node('server-2').start();
      await lab.waitReady(servedWithin);
      await expect.poll(seen, patience).toMatchObject({ 'vm-server-2': true });
    });

    test('have no API when two are lost, and recover when one comes back', async () => {
      await Promise.all(['server-2', 'server-3'].map((name) => lab.node(name).powerOff()));
      await expect(nodesOf(lab.node('server-1'))).rejects.toThrow(/etcdserver|timeout|deadline/i);
      await lab.node('server-3').boot();
      lab.node('server-3').start();
      await expect
        .poll(async () => states(await nodesOf(lab.node('server-1')).catch(() => [])), patience)
        .toMatchObject({ 'vm-server-1': true, 'vm-server-3': true, 'vm-agent': true });
    });
  },
);

function states(nodes: readonly ClusterNode[]): Readonly<Record<string, boolean>> {
  return Object.fromEntries(nodes.map(({ name, isReady }) => [name, isReady]));
}
