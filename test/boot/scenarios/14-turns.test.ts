import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BootedHost, eventually } from '../booted-host.ts';
import { brokenForAgents, lastWords } from '../broken-release.ts';
import { type Cluster, type HostName, startCluster } from '../cluster.ts';
import { told } from '../judge.ts';
import {
  type Interruption,
  interruptionsOf,
  releasesOf,
  reportedReleases,
  shownOn,
  upgradesOf,
} from '../turns.ts';

const [old, good, bad] = ['v1.36.3+k3s1', 'v1.36.4+k3s1', 'v1.36.5+k3s1'] as const;
/** How long a node is watched in these tests: long enough for a test to crash the node meanwhile. */
const seconds = 6;

let cluster: Cluster;
let server: BootedHost<HostName>;
/** The agents in the order of their upgrades. */
let first: BootedHost<HostName>;
let second: BootedHost<HostName>;

beforeAll(async () => {
  cluster = await startCluster({
    k3sVersions: [old, good],
    settings: () => ({
      gitops: { engine: 'none' },
      maintenance: { drain: { upgrade: true }, watchFor: `${seconds}s` },
    }),
  });
  server = cluster.host('server');
  cluster.mirror.publishK3s(bad, await brokenForAgents(bad));
  await cluster.powerOn();
  await cluster.ready();
});

afterAll(() => cluster?.stop());

/** Writes the wanted release into the settings of every host. */
function want(version: string): void {
  for (const host of cluster.hosts) {
    host.write('/etc/slipway/config.d/90-wish.yaml', `k3s: { version: ${version}, upgrade: auto }\n`);
  }
}

/** Returns the agents except for those in `except`. */
function agents(...except: readonly BootedHost[]): readonly BootedHost<HostName>[] {
  return [cluster.host('agent'), cluster.host('observability')].filter((host) => !except.includes(host));
}

/**
 * Waits until the server has upgraded, then makes both agents ask for their turns, and then makes the server look.
 * Without this, an agent asks up to 40 s after the server's turn, and the server looks every 30 s.
 */
async function askAfterServer(release: string): Promise<void> {
  await eventually(
    'the server to end its turn',
    () => reportedReleases(cluster).server === release && shownOn(cluster, 'server').turn === 'done',
  );
  await Promise.all(agents().map((host) => host.reload()));
  await eventually('the agents to ask', () => agents().every(({ name }) => shownOn(cluster, name).isAsking));
  await server.reload();
}

/** Waits until one of the agents has started a release in its turn, and is still cordoned; resolves to the agent. */
async function startsInTurn(release: string, ...some: readonly BootedHost<HostName>[]) {
  let found: BootedHost<HostName> | undefined;
  await eventually(`an agent to start ${release} in its turn`, async () => {
    found = some.find((host) => isInTurn(host));
    return found !== undefined && (await releasesOf(found)).at(-1) === release;
  });
  return found ?? expect.fail('No agent is in its turn.');
}

function isInTurn({ name }: BootedHost<HostName>): boolean {
  const { turn, isCordoned } = shownOn(cluster, name);
  return turn === 'begun' && isCordoned;
}

test('an upgrade interrupts the server, then one agent alone, and then the other', async () => {
  want(good);
  await askAfterServer(good);
  first = await startsInTurn(good, ...agents());
  second = await startsInTurn(good, ...agents(first));
  const interruptions = await interruptionsOf(cluster.hosts);
  expect(interruptions.map(({ host }) => host)).toEqual(['server', first.name, second.name]);
  const [afterServer = 0, afterFirst = 0] = pauses(interruptions);
  expect(afterServer, 'the server was watched').toBeGreaterThan(seconds * 1_000);
  expect(afterFirst, 'so was the first agent, which then was calm as long').toBeGreaterThan(
    2 * seconds * 1_000,
  );
  for (const host of cluster.hosts) {
    expect(await releasesOf(host), host.name).toEqual([old, good]);
  }
});

/** Returns the time from the end of each interruption to the beginning of the next one, in milliseconds. */
function pauses(interruptions: readonly Interruption[]): readonly number[] {
  return interruptions.slice(1).map(({ from }, index) => from - (interruptions[index]?.to ?? from));
}

test('an agent whose PID 1 crashes in its turn comes back, ends the turn and removes its cordon', async () => {
  expect(isInTurn(second)).toBe(true);
  await second.crash();
  expect(isInTurn(second), 'the crash leaves a cordon').toBe(true);
  await second.powerOn();
  await eventually('the turn to end', () => shownOn(cluster, second.name).turn === 'done');
  await cluster.ready();
  for (const { name } of cluster.hosts) {
    const expected = { isCordoned: false, hasMark: false, turn: 'done', isAsking: false };
    expect(shownOn(cluster, name), name).toEqual(expected);
  }
  expect(reportedReleases(cluster)).toEqual(everywhere(good));
  await noTurns();
});

/** Waits until no node has a turn, waits for one or has failed in one. */
async function noTurns(): Promise<void> {
  const turns = async () => JSON.parse(await server.ask('slipway', 'turn', '-o', 'json')).turns;
  await eventually('all turns to end', async () => (await turns()).length === 0);
}

let failed: BootedHost<HostName>;

test('a release that does not come up is rolled back on one agent, and the other agent gets no turn for it', async () => {
  want(bad);
  await askAfterServer(bad);
  const { message } = await told(server, 'Turns', 'TurnFailed');
  failed = agents().find(({ name }) => message.includes(`vm-${name} failed`)) ?? expect.fail(message);
  const [spared = failed] = agents(failed);
  const givenUp = await told(failed, 'K3sBinary', 'VersionGivenUp', 60_000);
  expect(givenUp.message).toContain(lastWords);
  const waits = `waits because vm-${failed.name} failed`;
  const wait = new RegExp(`^vm-${spared.name} .* ${waits}$`, 'm');
  await eventually('the other agent to wait', async () => wait.test(await server.ask('slipway', 'turn')));
  expect(reportedReleases(cluster)).toEqual({ ...everywhere(good), server: bad });
  expect(await upgradesOf(failed), 'one attempt').toEqual([good, bad]);
  expect(await upgradesOf(spared), 'no attempt').toEqual([good]);
  expect(isInTurn(failed)).toBe(false);
});

function everywhere(release: string): Readonly<Record<string, string>> {
  return Object.fromEntries(cluster.hosts.map(({ name }) => [name, release]));
}

test('once the former release is wanted again, the server returns to it in its turn, and every node is in sync', async () => {
  const since = Date.now();
  want(good);
  await eventually('the server to go back', () => reportedReleases(cluster).server === good);
  await noTurns();
  for (const host of cluster.hosts) {
    await eventually(`${host.name} to be Ready`, () => host.isReady(since));
    expect(host.condition('K3sBinary'), host.name).toMatchObject({ status: 'True', reason: 'InSync' });
  }
  await told(server, 'Turns', 'InSync');
  const interruptions = await interruptionsOf(cluster.hosts);
  expect(interruptions.filter(({ from }) => from > since).map(({ host }) => host)).toEqual(['server']);
  expect(Math.min(...pauses(interruptions)), 'no two nodes were away at once').toBeGreaterThan(0);
  expect(await upgradesOf(failed), 'still one attempt').toEqual([good, bad]);
});
