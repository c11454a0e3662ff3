import { expect, test } from 'vitest';
import { readJwt } from '../../src/agent/clouds/jwt.ts';
import { reconcile } from '../../src/agent/engine/reconcile.ts';
import { parseLogins } from '../../src/agent/parts/registry/answer/logins.ts';
import { loginsRenewed } from '../../src/agent/parts/registry/renewal.ts';
import { FakeCloud } from '../lab/fake-cloud.ts';
import { type MemoryHost, memoryHost } from '../lab/memory-host.ts';
import { booted, live, registry } from '../scenario/a-vm.ts';
import { aNode } from '../unit/agent/a-node.ts';

const hour = 3_600_000;
const day = 24 * hour;
const file = '/var/lib/slipway/logins.json';

function rotations(calls: readonly string[]): number {
  return calls.filter((call) => call.startsWith('registryPassword')).length;
}

function secondsLeft(host: MemoryHost): number {
  const { password = '' } = parseLogins(host.files.text(file) ?? '')[registry] ?? {};
  return ((readJwt(password)?.expiresAt ?? 0) - host.now()) / 1_000;
}

test('over a year of rotations the credential always has at least an hour left', async () => {
  const host = memoryHost();
  const cloud = new FakeCloud({ registries: [registry], clock: host });
  const node = aNode('agent', { settings: { registries: { servers: [registry] } } });
  const rotateAt = (after: number) => (Math.floor(after / (2 * hour)) + 1) * 2 * hour;
  const plan = loginsRenewed(node, { cloud, rotateAt });
  const attempts = new Map();
  const end = host.now() + 365 * day;
  let least = Number.POSITIVE_INFINITY;
  while (host.now() < end) {
    const [outcome] = await reconcile(plan, { host, attempts, random: 0.5 });
    if (outcome?.state === 'InSync') {
      await host.sleep((outcome.until ?? end) - host.now());
    }
    least = Math.min(least, secondsLeft(host));
  }
  expect(rotations(cloud.calls)).toBe(365 * 12);
  expect(least).toBe(3_600);
}, 120_000);

test('over a week of passes the credential rotates every two hours, and K3s is never restarted', async () => {
  const { machine, slipway } = await booted('agent');
  await live(slipway, machine, 7 * day);
  expect(rotations(machine.cloud.calls)).toBe(1 + 7 * 12);
  expect(machine.units.starts).toBe(1);
  expect(secondsLeft(machine.host)).toBeGreaterThanOrEqual(3_600);
});
