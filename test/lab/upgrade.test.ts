import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packaged } from './executable.ts';
import { type Lab, startLab } from './lab.ts';
import type { LabNode } from './node.ts';
import { brokenRelease } from './releases.ts';

const dir = join(tmpdir(), `slipway-upgrade-${process.pid}`);
const [old, good, bad, newest] = ['v1.36.3+k3s1', 'v1.36.4+k3s1', 'v1.36.5+k3s1', 'v1.36.6+k3s1'] as const;
/** Makes Slipway watch each node for three seconds after its upgrade, instead of a minute. */
const settings = { maintenance: { watchFor: '3s' } };
const patience = { timeout: 300_000, interval: 200 };

describe('an upgrade of K3s on three nodes', () => {
  let lab: Lab;
  /** The changes of all daemons, in order, each as `node: change`. */
  const did: string[] = [];

  beforeAll(async () => {
    expect(existsSync(packaged), `${packaged} is there: npm run package makes it`).toBe(true);
    lab = await startLab({
      dir,
      executable: [packaged],
      k3sVersions: [old, good, newest],
      settings,
      onLog: note,
    });
    lab.mirror.publishK3s(bad, brokenRelease(bad));
    lab.start();
    await lab.waitReady();
  });

  afterAll(async () => {
    await lab?.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  function note(node: string, line: string): void {
    const { msg, did: change } = line.startsWith('{') ? JSON.parse(line) : {};
    if (msg === 'changed') {
      did.push(`${node}: ${change}`);
    }
  }

  function want(version: string): void {
    write(`version: ${version}`);
  }

  function write(wish: string): void {
    for (const node of lab.nodes) {
      node.write('etc/slipway/config.d/90-upgrade.yaml', `k3s: { ${wish}, upgrade: auto }\n`);
      node.signal('SIGHUP');
    }
  }

  function state(node: LabNode): string {
    const record = JSON.parse(node.read('var/lib/slipway/upgrade.json') ?? '{}');
    return `${record.wanted} ${record.state}`;
  }

  test('to a release that does not come up is rolled back on the server, and does not reach the agents', async () => {
    want(bad);
    await expect.poll(() => state(lab.node('server')), patience).toBe(`${bad} rolledBack`);
    await expect.poll(() => installed(lab.node('server')), patience).toBe(old);
    const condition = () =>
      lab
        .node('server')
        .status()
        ?.conditions.find(({ type }) => type === 'NodeReady');
    await expect.poll(() => condition()?.message, patience).toBe(`vm-server is Ready, with ${old}`);
    const givenUp = lab
      .node('server')
      .status()
      ?.conditions.find(({ type }) => type === 'K3sBinary');
    expect(givenUp).toMatchObject({ status: 'False', reason: 'VersionGivenUp' });
    expect(givenUp?.message).toContain('panic: this release is broken');
    expect(lab.nodes.map((node) => installed(node))).toEqual([old, old, old]);
  });

  test('runs on the server before the agents begin, and is verified on every node', async () => {
    did.length = 0;
    want(good);
    for (const node of lab.nodes) {
      await expect.poll(() => state(node), patience).toBe(`${good} done`);
    }
    const begins = did.filter((line) => line.includes('begin the upgrade')).map((line) => line.split(':')[0]);
    expect(begins[0]).toBe('server');
    expect([...begins].sort()).toEqual(['agent', 'observability', 'server']);
    const restarted = did.findIndex((line) => /^server: systemctl restart/.test(line));
    const agents = did.findIndex((line) => /^(agent|observability): begin the upgrade/.test(line));
    expect(restarted).toBeGreaterThan(-1);
    expect(agents).toBeGreaterThan(restarted);
    expect(lab.nodes.map((node) => node.read('usr/local/bin/.k3s.previous') !== undefined)).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('to the release of a channel runs on the server first, and then on the agents', async () => {
    did.length = 0;
    lab.mirror.channels.set('stable', 'v1.37.0+k3s1').set('v1.36', newest);
    write('channel: stable');
    for (const node of lab.nodes) {
      const look = () => {
        // Starts a pass, because an agent checks its server only every five minutes.
        node.signal('SIGHUP');
        return state(node);
      };
      await expect.poll(look, { ...patience, interval: 2_000 }).toBe(`${newest} done`);
    }
    const begins = did.filter((line) => line.includes('begin the upgrade')).map((line) => line.split(':')[0]);
    expect([begins[0], begins.length]).toEqual(['server', 3]);
    const ahead = () => lab.node('server').status()?.conditions;
    await expect
      .poll(ahead, patience)
      .toContainEqual(expect.objectContaining({ type: 'K3sBinary', reason: 'ChannelAhead' }));
    const asked = lab.azure.requests.filter(
      ({ server, host }) => server === 'mirror' && host === 'update.k3s.io',
    );
    expect(new Set(asked.map(({ path, status }) => `${status} ${path}`))).toEqual(
      new Set(['200 /v1-release/channels']),
    );
  });
});

function installed(node: LabNode): string | undefined {
  return /k3s version (\S+)/.exec(node.read('usr/local/bin/k3s') ?? '')?.[1];
}
