import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { nextAttempt } from '../../src/agent/engine/backoff.ts';
import type { Retry } from '../../src/agent/engine/errors.ts';
import { type Attempts, reconcile } from '../../src/agent/engine/reconcile.ts';
import type { Pacing } from '../../src/agent/engine/resource.ts';
import { rotationSchedule } from '../../src/agent/host/clock/rotation-schedule.ts';
import { verified } from '../../src/agent/parts/k3s/membership/join-token.ts';
import { loginsRenewed } from '../../src/agent/parts/registry/renewal.ts';
import { defaults } from '../../src/agent/settings/defaults.ts';
import { nextWake } from '../../src/agent/wake.ts';
import { FakeCloud } from '../lab/fake-cloud.ts';
import { memoryHost } from '../lab/memory-host.ts';
import { aNode } from '../unit/agent/a-node.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const midnight = Date.UTC(2026, 0, 1);
const registry = 'team.azurecr.io';

/**
 * The documented limits of the services: the transactions with the secrets of a vault, except creation ("Azure Key
 * Vault service limits"), and the ReadOps per minute of a Standard-tier registry ("Registry service tiers and
 * features", a page that no longer lists this limit).
 */
const vaultLimit = { requests: 4_000, within: 10 * second };
const registryLimit = { requests: 3_000, within: minute };

/** Returns pseudorandom VM ids like those that Azure assigns. */
function vmIds(count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => {
    const hex = createHash('md5').update(`vm ${n}`).digest('hex');
    return hex.replace(/^(.{8})(.{4}).(.{3})(.{4})(.{12})$/, '$1-$2-4$3-$4-$5');
  });
}

/** Returns consecutive VM ids, as an operator might assign them. */
function numbered(count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => `02aab8a4-74ef-476e-8182-${String(n).padStart(12, '0')}`);
}

/**
 * Returns how many of the times fall into each of `buckets` spans of `length` milliseconds, the first of which begins
 * at `start`.
 */
function histogram(
  times: readonly number[],
  start: number,
  length: number,
  buckets: number,
): readonly number[] {
  const counts = Array<number>(buckets).fill(0);
  for (const time of times) {
    const bucket = Math.floor((time - start) / length);
    if (bucket >= 0 && bucket < buckets) {
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
  }
  return counts;
}

/** Returns Pearson's chi-squared statistic per bucket: 0 if the spread is even, about 1 if it is random. */
function unevenness(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) / counts.length;
}

/** Returns the largest number of times that fall into any span of `length` milliseconds. */
function peak(times: readonly number[], length: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  let from = 0;
  let most = 0;
  sorted.forEach((time, at) => {
    while (time - (sorted[from] ?? 0) >= length) {
      from += 1;
    }
    most = Math.max(most, at - from + 1);
  });
  return most;
}

/** Prints the title, and the counts in lines of ten, each line with its sum and a bar of that length. */
function print(title: string, counts: readonly number[]): void {
  const lines = Array.from({ length: counts.length / 10 }, (_, line) => {
    const ten = counts.slice(line * 10, line * 10 + 10);
    const sum = ten.reduce((all, count) => all + count, 0);
    const cells = ten.map((count) => String(count).padStart(3)).join('');
    return `${String(line * 10).padStart(4)}:${cells}  ${'#'.repeat(sum / 4)} ${sum}\n`;
  });
  tell(`${title}\n${lines.join('')}`);
}

function tell(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

/**
 * Renews the credentials of one VM as the daemon does, for `time` milliseconds from its boot. Returns the times of its
 * requests to the registry.
 */
async function lifeOf(vmId: string, boot: number, time: number, tokenLifetime = 3 * hour) {
  const host = memoryHost({ now: boot });
  const cloud = new FakeCloud({ registries: [registry], clock: host });
  cloud.tokenLifetime = tokenLifetime;
  const node = aNode('agent', { settings: { registries: { servers: [registry] } } });
  const rotateAt = rotationSchedule(defaults.registries.schedule, vmId).next;
  const plan = loginsRenewed(node, { cloud, rotateAt });
  const attempts: Attempts = new Map();
  const asked: number[] = [];
  while (host.now() < boot + time) {
    const before = cloud.calls.length;
    const outcomes = await reconcile(plan, { host, attempts, random: 0.5 });
    if (cloud.calls.length > before) {
      asked.push(host.now());
    }
    const [outcome] = outcomes;
    const due = outcome?.state === 'InSync' ? outcome.until : undefined;
    // Skips the drift checks in between, which would find nothing and slow the test down.
    await host.sleep((due ?? nextWake(host.now(), outcomes).at) - host.now());
  }
  return asked;
}

/** Computes the times that `lifeOf` returns, and the next time after them, from the schedule alone. */
function renewals(vmId: string, boot: number, time: number, tokenLifetime = 3 * hour): readonly number[] {
  const { next } = rotationSchedule(defaults.registries.schedule, vmId);
  const times = [boot];
  for (let at = boot; at < boot + time; times.push(at)) {
    at = next(at, (tokenLifetime * 2) / 3);
  }
  return times;
}

describe('a thousand nodes after a boot in the same second', () => {
  const boot = midnight + 7 * hour + 11 * minute;
  let times: readonly number[] = [];
  beforeAll(async () => {
    const fleet = await Promise.all(vmIds(1_000).map((vmId) => lifeOf(vmId, boot, 2 * hour)));
    expect(fleet.slice(0, 50)).toEqual(
      vmIds(50).map((vmId) => renewals(vmId, boot, 2 * hour).filter((time) => time < boot + 2 * hour)),
    );
    times = fleet.flat();
  }, 240_000);

  test('spread their first rotations evenly', () => {
    const rotations = times.filter((time) => time > boot);
    expect(rotations).toHaveLength(1_000);
    const minutes = histogram(rotations, boot, minute, 120);
    print('rotations of 1,000 nodes, by minutes after their boot', minutes);
    expect(unevenness(minutes)).toBeLessThan(1.4);
    expect(Math.max(...minutes)).toBeLessThanOrEqual(20);
    expect(Math.min(...minutes)).toBeGreaterThan(0);
  });
});

test.each([
  ['random ids', vmIds(1_000), 3 * hour, 120],
  ['numbered ids', numbered(1_000), 3 * hour, 120],
  ['tokens of an hour, shorter than the schedule period', vmIds(1_000), hour, 40],
  ['tokens of a quarter of an hour', vmIds(1_000), 15 * minute, 10],
])(
  'the rotations of a thousand nodes spread evenly within each renewal period, for a whole day: %s',
  (_, fleet, life, minutes) => {
    const times = fleet.flatMap((vmId) => renewals(vmId, midnight, day, life));
    const periods = Math.floor(day / (minutes * minute));
    for (let period = 0; period < periods; period += 1) {
      const counts = histogram(times, midnight + 1 + period * minutes * minute, minute, minutes);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(999);
      expect(unevenness(counts)).toBeLessThan(2);
    }
  },
);

describe('ten thousand nodes', () => {
  const fleet = vmIds(10_000);

  test('rotate credentials for a day, with one pull check per rotation, within the limits of a Standard-tier registry', () => {
    // One request for the exchange, and ten for a pull check (see test/integration/azure/pull.test.ts).
    const requests = 1 + 10;
    const times = fleet.flatMap((vmId) => renewals(vmId, midnight, day).slice(1));
    expect(times.length).toBeGreaterThanOrEqual(12 * fleet.length);
    const most = peak(times, minute);
    tell(
      `10,000 nodes: at most ${most} rotations in any minute of a day, ${peak(times, 10 * second)} in any ten seconds`,
    );
    expect(most * requests).toBeLessThan(registryLimit.requests);
  }, 240_000);

  test('get all tokens within two minutes of a simultaneous boot, and compare tokens within the limits of the vault', () => {
    const { attempts, interval, verifyEvery } = defaults.joinToken;
    expect({ interval, verifyEvery }).toEqual({ interval: '10s', verifyEvery: '2h' });
    // Each attempt sends two requests for a secret: one without a token, which the vault answers with a challenge, and
    // one with the token.
    const requests = 2;
    const served = storm(fleet, vaultLimit, { cost: requests, pacing: { attempts, every: 10 * second } });
    const last = Math.max(...served);
    // Each comparison rewrites the token's file, so later comparisons are spread like the first one after the boot.
    const compared = served.map((time) => dueAfter(time, 2 * hour));
    const most = peak(compared, vaultLimit.within) * requests;
    tell(
      `10,000 servers: all have their token after ${last / second} s; comparing it, at most ${most} requests in ten seconds`,
    );
    expect(last).toBeLessThan(2 * minute);
    expect(most).toBeLessThanOrEqual(vaultLimit.requests);
  });

  test.each([
    ['Basic', 1_000, 15],
    ['Standard', 3_000, 6],
  ])(
    'get all credentials after a simultaneous boot from a %s-tier registry (%d requests a minute) within %d minutes',
    (tier, requests, minutes) => {
      const limit = { requests, within: minute };
      for (const retryAfter of [undefined, 5 * second]) {
        const last = Math.max(...storm(fleet, limit, { cost: 1, ...(retryAfter && { retryAfter }) }));
        tell(
          `${tier}, Retry-After ${retryAfter ?? 'none'}: all 10,000 have a credential after ${last / second} s`,
        );
        expect(last).toBeLessThan(minutes * minute);
      }
    },
  );

  /** Returns when a token that was written at `modifiedAt` is next compared with the vault. */
  function dueAfter(modifiedAt: number, every: number): number {
    const currency = verified({ content: '', mode: 0o600, modifiedAt }, modifiedAt, every);
    return currency.ok ? (currency.until ?? Number.POSITIVE_INFINITY) : modifiedAt;
  }
});

test('a VM requests its first registry password without a delay', async () => {
  const [first] = await lifeOf('vm-1', midnight, minute);
  expect(first).toBe(midnight);
});

interface Storm {
  /** The number of requests per attempt. */
  readonly cost: number;
  readonly pacing?: Pacing;
  readonly retryAfter?: number;
}

/**
 * Simulates a fleet whose VMs all send a request to a service at the same time. In each span of `limit.within`
 * milliseconds, the service answers up to `limit.requests` requests and refuses the others with 429; each VM tries
 * again as the reconciler does. Returns the times in milliseconds at which the VMs are served, in ascending order.
 */
function storm(
  fleet: readonly string[],
  limit: { readonly requests: number; readonly within: number },
  { cost, pacing, retryAfter }: Storm,
): readonly number[] {
  const random = seeded(fleet.length);
  const retry: Retry = retryAfter === undefined ? {} : { after: retryAfter };
  const error = { endedBy: 'time', retry } as const;
  const served: number[] = [];
  let asking = fleet.map(() => ({ at: 0, failures: 0 }));
  let recent = 0;
  for (let at = 0; asking.length > 0; at += 250) {
    while ((served[recent] ?? at) <= at - limit.within) {
      recent += 1;
    }
    const room = Math.floor(limit.requests / cost) - (served.length - recent);
    const turn = asking.filter((each) => each.at <= at);
    const refused = turn.slice(room).map(({ failures }) => {
      const { after } = nextAttempt(failures + 1, error, pacing, random());
      return { at: at + after, failures: failures + 1 };
    });
    served.push(...turn.slice(0, room).map(() => at));
    asking = [...asking.filter((each) => each.at > at), ...refused];
  }
  return served;
}

/** Returns a generator (mulberry32) of numbers in [0, 1). The same seed gives the same numbers. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
