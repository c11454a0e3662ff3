import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Diagnosis } from '../../../src/agent/doctor/probe.ts';
import { eventually, pinsItsCa } from '../booted-host.ts';
import { type Cluster, provenImage, startCluster } from '../cluster.ts';
import { changesOf, failedUnits, nodes, startsOf, told } from '../judge.ts';
import { printTimes, workOf } from '../times.ts';

/** What the doctor skips, because the settings of these hosts do not ask for it. */
const unset: readonly string[] = ['scheduled events', 'backups of the datastore'];

let cluster: Cluster;
/** The CPU seconds that each host's daemon used until it reported that it was waiting, by host name. */
const workUntilWaiting = new Map<string, number>();

beforeAll(async () => {
  cluster = await startCluster({ from: 'cloud-init', unprepared: true });
  await cluster.powerOn();
});

afterAll(() => cluster?.stop());

test('every node reports that it waits for the secret and the roles', async () => {
  for (const host of cluster.hosts) {
    const { message } = await told(host, 'JoinToken', 'VaultForbidden');
    expect(message).toContain('Key Vault Secrets User');
    workUntilWaiting.set(host.name, (await workOf(host)).work);
  }
  // Waits until 30 s after power-on, so that each node retries at least once.
  await sleep(Math.max(0, 30_000 - (Date.now() - cluster.host('server').poweredOnAt)));
});

test('the nodes form a cluster once the secret and the roles exist', async () => {
  const prepared = { at: Date.now(), workWaiting: await workSince(workUntilWaiting) };
  cluster.prepare();
  await cluster.ready();
  expect(nodes(cluster)).toEqual({ 'vm-server': 'True', 'vm-agent': 'True', 'vm-observability': 'True' });
  await printTimes(cluster, prepared);
});

async function workSince(before: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, number>> {
  const since = async (host: (typeof cluster.hosts)[number]) =>
    [host.name, (await workOf(host)).work - (before.get(host.name) ?? 0)] as const;
  return new Map(await Promise.all(cluster.hosts.map(since)));
}

test('K3s was started once on each node, and Flux was bootstrapped once', async () => {
  for (const host of cluster.hosts) {
    expect(await startsOf(host, host.k3sUnit)).toBe(1);
  }
  const bootstraps = async (host: (typeof cluster.hosts)[number]) =>
    (await changesOf(host)).filter((resource) => resource.startsWith('Bootstrap/')).length;
  expect(await Promise.all(cluster.hosts.map(bootstraps))).toEqual([1, 0, 0]);
});

test('cloud-init is done, no unit has failed, no job is queued, and each node has the name of its VM', async () => {
  for (const host of cluster.hosts) {
    expect((await host.run('cloud-init', 'status', '--wait')).stdout).toContain('status: done');
    await eventually('all jobs to be done', async () =>
      (await host.ask('systemctl', 'list-jobs')).includes('No jobs running'),
    );
    expect(await failedUnits(host)).toBe('');
    expect(await host.ask('hostname')).toBe(`vm-${host.name}`);
  }
});

test('systemd-analyze rates the exposure of the sandboxed daemon below 3', async () => {
  const judged = await cluster
    .host('server')
    .ask('systemd-analyze', 'security', '--no-pager', 'slipway.service');
  const [, exposure] = /Overall exposure level for slipway\.service: ([\d.]+)/.exec(judged) ?? [];
  process.stdout.write(`systemd-analyze security slipway.service: ${exposure}\n`);
  expect(Number(exposure)).toBeLessThan(3);
});

test('the doctor reports no fault except those of the test machine, and prints no secret', async () => {
  for (const host of cluster.hosts) {
    if (host.k3sUnit === 'k3s-agent.service') {
      await pinsItsCa(host);
    }
    const { stdout } = await host.run('slipway', 'doctor', '-o', 'json');
    const { diagnoses }: { readonly diagnoses: readonly Diagnosis[] } = JSON.parse(stdout);
    const ofNode = diagnoses.filter(({ about, what }) => about !== 'machine' && !unset.includes(what));
    const troubles = ofNode.filter(({ level }) => level !== 'ok');
    expect(troubles).toEqual([]);
    expect(diagnoses.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['disk', 'port 10250/tcp', 'clock', `pull ${provenImage}`, 'NodeReady']),
    );
    for (const secret of cluster.azure.canaries()) {
      expect(stdout.includes(secret)).toBe(false);
    }
  }
});

test('no journal, status, command line or file of cloud-init contains a secret', async () => {
  for (const host of cluster.hosts) {
    const journal = (await host.journal()).map(({ message }) => message).join('\n');
    const kept = await host.ask(
      'sh',
      '-c',
      'cat /var/log/cloud-init*.log /proc/[0-9]*/cmdline; find /var/lib/cloud -type f -exec cat {} +',
    );
    const text = [journal, kept, host.read('/run/slipway/status.json')].join('\n');
    expect(text).toContain('slipway install');
    for (const secret of cluster.azure.canaries()) {
      expect(text.includes(secret)).toBe(false);
    }
  }
});
