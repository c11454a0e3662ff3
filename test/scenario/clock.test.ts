import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Agent, run } from '../../src/agent/agent.ts';
import { alarm } from '../../src/agent/alarm.ts';
import { readJwt } from '../../src/agent/clouds/jwt.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { parseLogins, usableLogin } from '../../src/agent/parts/registry/answer/logins.ts';
import { condition, isReady, live, registry, type Vm, vm } from './a-vm.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const decades = 56 * 365 * day;

function asked({ cloud }: Vm): number {
  return cloud.calls.filter((call) => call.startsWith('registryPassword')).length;
}

/** Moves the VM's clock by `by` milliseconds, but not the clock of the registry, which dates the passwords. */
function jump({ host, cloud }: Vm, by: number): void {
  host.setClock(host.now() + by);
  cloud.clockSkew -= by;
}

/** Returns for how many milliseconds the registry will still accept the login in registries.yaml. */
function left({ host, cloud }: Vm): number {
  const { password } = parse(host.files.text('/etc/rancher/k3s/registries.yaml') ?? '').configs[registry]
    .auth;
  return (readJwt(password)?.expiresAt ?? 0) - (host.now() + cloud.clockSkew);
}

/** True if kubelet's credential provider would hand out the login in the store. */
function isHandedOut({ host }: Vm): boolean {
  const logins = parseLogins(host.files.text('/var/lib/slipway/logins.json') ?? '');
  return usableLogin(logins, registry, host.now()) !== undefined;
}

/**
 * Boots a VM whose clock is `skew` milliseconds ahead, and makes passes until it is Ready or a minute has passed;
 * returns the VM and its Slipway process.
 */
async function bootedWith(skew: number): Promise<{ machine: Vm; slipway: Agent }> {
  const machine = vm('agent');
  jump(machine, skew);
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  return { machine, slipway };
}

/**
 * Makes passes as the daemon does, for `time` milliseconds of the registry's clock, and expects a usable login in the
 * store after each pass. Returns the shortest time, in milliseconds, for which the registry's credential was still
 * valid before a pass.
 */
async function pass(slipway: Agent, machine: Vm, time: number): Promise<number> {
  const { host, cloud } = machine;
  const end = host.now() + cloud.clockSkew + time;
  let worst = Number.POSITIVE_INFINITY;
  for (;;) {
    const { wake } = await slipway.pass();
    expect(isHandedOut(machine)).toBe(true);
    const pause = Math.min(wake.at - host.now(), end - host.now() - cloud.clockSkew);
    if (pause <= 0) {
      return worst;
    }
    await host.sleep(pause);
    worst = Math.min(worst, left(machine));
  }
}

describe('a clock with a constant error', () => {
  test.each([
    ['an hour ahead', hour],
    ['an hour behind', -hour],
    ['nine hours ahead, like a clock set to local time', 9 * hour],
    ['a day behind', -day],
    ['set to 1970', -decades],
  ])('causes no extra request, and leaves each credential about an hour of life: %s', async (_, skew) => {
    const { machine, slipway } = await bootedWith(skew);
    expect(await pass(slipway, machine, 6 * hour)).toBeGreaterThanOrEqual(hour - 10_000);
    expect(asked(machine)).toBeLessThanOrEqual(1 + 3);
    expect(machine.units.starts).toBe(1);
  });
});

describe('a clock that is set while Slipway runs', () => {
  const jumps = [
    ['an hour ahead', hour],
    ['an hour back', -hour],
    ['a day ahead', day],
    ['a day back', -day],
  ] as const;

  test.each([1, 61, 119].flatMap((after) => jumps.map(([name, by]) => [after, name, by] as const)))(
    'causes at most one extra renewal and no restart of K3s: %d minutes after a renewal, %s',
    async (after, _, by) => {
      const { machine, slipway } = await bootedWith(0);
      const { host } = machine;
      await pass(slipway, machine, 2 * hour + after * minute - (host.now() % hour));
      const before = asked(machine);
      const { wake } = await slipway.pass();
      const pause = wake.at - host.now();
      jump(machine, by);
      await host.sleep(pause);
      // A renewal is due an hour before the credential expires, which is early enough even if the clock is an hour
      // wrong.
      expect(await pass(slipway, machine, 3 * hour)).toBeGreaterThanOrEqual(0);
      expect(asked(machine) - before).toBeLessThanOrEqual(1 + 2);
      expect(machine.units.starts).toBe(1);
    },
  );

  test('causes at most one extra renewal and no restart of K3s after a boot in 1970', async () => {
    const { machine, slipway } = await bootedWith(-decades);
    await pass(slipway, machine, 10 * minute);
    jump(machine, decades);
    expect(await pass(slipway, machine, 3 * hour)).toBeGreaterThan(hour - 10_000);
    expect(asked(machine)).toBeLessThanOrEqual(1 + 1 + 2);
    expect(machine.units.starts).toBe(1);
  });

  test('causes at most one renewal each time a faulty NTP server sets the clock', async () => {
    const { machine, slipway } = await bootedWith(0);
    for (let turn = 0; turn < 6; turn += 1) {
      jump(machine, turn % 2 === 0 ? hour : -hour);
      expect(await pass(slipway, machine, 10 * minute)).toBeGreaterThan(hour);
    }
    expect(asked(machine)).toBeLessThanOrEqual(1 + 6);
    expect(machine.units.starts).toBe(1);
  });
});

test.each([
  ['ahead', -decades],
  ['back', hour],
])('a clock set %s after a boot wakes the daemon at once, and the node becomes Ready', async (_, skew) => {
  const machine = vm('agent');
  jump(machine, skew);
  const { host, cloud } = machine;
  const untrusted = new NodeError('TlsUntrusted', 'Its certificate is not valid yet.', {
    endedBy: 'person',
  });
  cloud.fail('secret', untrusted);
  const booted = host.monotonic();
  host.at(host.now() + 2 * minute, () => {
    cloud.heal();
    jump(machine, -skew);
  });
  const stopped = new AbortController();
  let readyAfter = 0;
  await run(machine.slipway(), {
    host,
    alarm: alarm(),
    signal: stopped.signal,
    emit: () => {},
    publish: async (report) => {
      readyAfter = host.monotonic() - booted;
      if (condition(report, 'Ready') === 'True InSync' || readyAfter > hour) {
        stopped.abort();
      }
    },
  });
  expect(readyAfter).toBeLessThan(2 * minute + 30_000);
});
