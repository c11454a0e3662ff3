import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Report } from '../../src/agent/agent.ts';
import { azureCloud } from '../../src/agent/clouds/azure/azure.ts';
import type { Cloud } from '../../src/agent/clouds/cloud.ts';
import { readJwt } from '../../src/agent/clouds/jwt.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import type { HttpSend } from '../../src/agent/engine/host.ts';
import { type Attempts, reconcile } from '../../src/agent/engine/reconcile.ts';
import { registriesFile } from '../../src/agent/parts/registry/registries-file.ts';
import { loginsRenewed } from '../../src/agent/parts/registry/renewal.ts';
import { defaults } from '../../src/agent/settings/defaults.ts';
import { nextWake } from '../../src/agent/wake.ts';
import { datedToken, FakeCloud } from '../lab/fake-cloud.ts';
import { type MemoryHost, memoryHost, type ResponseAnswer } from '../lab/memory-host.ts';
import { aNode } from '../unit/agent/a-node.ts';
import { booted, condition, live, registry, type Vm } from './a-vm.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const file = '/etc/rancher/k3s/registries.yaml';
const away = new NodeError('RegistryUnavailable', `${registry} answers 503.`);

function password(host: MemoryHost, server = registry): string {
  return parse(host.files.text(file) ?? '').configs[server].auth.password;
}

function asked({ cloud }: Pick<Vm, 'cloud'>, server = registry): number {
  return cloud.calls.filter((call) => call === `registryPassword ${server}`).length;
}

function told({ conditions }: Report): string {
  return conditions.find(({ type }) => type === 'Registries')?.message ?? '';
}

/**
 * Returns a reconciler that renews only the credentials and registries.yaml, every two hours. It uses `random`, from 0
 * to 1, as the random number for all its delays.
 */
function rotation(host: MemoryHost, cloud: Cloud, servers: readonly string[], random: number) {
  const node = aNode('agent', { settings: { registries: { servers } } });
  const plan = [
    ...loginsRenewed(node, { cloud, rotateAt: (after) => after + 2 * hour }),
    ...registriesFile(node, []),
  ];
  const attempts: Attempts = new Map();
  const tryOnce = () => reconcile(plan, { host, attempts, random });
  /** Makes passes until `until` returns true, and pauses after each pass for as long as that pass requests. */
  const run = async (until: () => boolean) => {
    while (!until()) {
      const outcomes = await tryOnce();
      if (until()) {
        return;
      }
      await host.sleep(nextWake(host.now(), outcomes).at - host.now());
    }
  };
  return { attempts, run, tryOnce };
}

/**
 * Boots a node at midnight, and takes the registry down at one o'clock, an hour before the next renewal. Returns the
 * VM, its Slipway process, and the times at which the credential is due for renewal and expires.
 */
async function cutOff() {
  const { machine, slipway } = await booted('agent');
  const { host, cloud } = machine;
  const end = readJwt(password(host))?.expiresAt ?? 0;
  await live(slipway, machine, hour);
  cloud.fail('registryPassword', away);
  const due = Math.ceil(host.now() / (2 * hour)) * 2 * hour;
  return { machine, slipway, due, end };
}

const iso = (time: number) => new Date(time).toISOString();

describe('a registry outage', () => {
  test('is reported with the expiry of the credential, before and after the credential expires', async () => {
    const { machine, slipway, due, end } = await cutOff();
    const { host, units } = machine;
    const before = await live(slipway, machine, due - host.now() - minute);
    expect(condition(before, 'Registries')).toBe('True InSync');

    const during = await live(slipway, machine, 10 * minute);
    expect(condition(during, 'Registries')).toBe('False RegistryUnavailable');
    expect(condition(during, 'Ready')).toBe('True RegistryUnavailable');
    expect(told(during)).toBe(
      `${away.message} The credential for ${registry} has been due since ${iso(due)}; pulls work until ${iso(end)}.`,
    );

    host.advance(50 * minute);
    const after = await live(slipway, machine, 10 * minute);
    const over = `${away.message} The credential for ${registry} has been due since ${iso(due)} and ended at ${iso(end)}; pulls of new images fail.`;
    expect(told(after)).toBe(over);
    expect(told(await machine.slipway().pass())).toBe(over);
    expect(units.starts).toBe(1);
  });

  test('causes no request while no credential is due', async () => {
    const { machine, slipway, due } = await cutOff();
    await live(slipway, machine, due - machine.host.now() - 1);
    expect(asked(machine)).toBe(1);
  });

  test('that lasts a day causes at most one request every half minute, and does not block another registry', async () => {
    const host = memoryHost();
    const cloud = new FakeCloud({ registries: [registry, 'two.azurecr.io'], clock: host });
    const { run } = rotation(host, cloud, [registry, 'two.azurecr.io'], 0);
    await run(() => host.files.text(file) !== undefined);
    const kept = password(host);
    cloud.registries.delete(registry);
    const end = host.now() + day + 10 * minute;
    await run(() => host.now() >= end);
    expect(asked({ cloud }, 'two.azurecr.io')).toBe(1 + 12);
    expect(password(host)).toBe(kept);
    expect(asked({ cloud })).toBeLessThan(day / (30 * second));
  });
});

test('a metadata service outage that lasts hours is reported, and K3s is not restarted', async () => {
  const { machine, slipway, due, end } = await cutOff();
  const { cloud, units } = machine;
  cloud.heal();
  cloud.fail('identity', new NodeError('IdentityUnavailable', 'IMDS does not answer.'));
  cloud.fail('registryPassword', new NodeError('ManagedIdentityUnavailable', 'No token.'));
  await live(slipway, machine, 10 * minute);
  machine.host.advance(45 * minute);
  await live(slipway, machine, 10 * minute);
  machine.host.advance(50 * minute);
  const report = await live(slipway, machine, 10 * minute);
  expect(condition(report, 'Identity')).toBe('False IdentityUnavailable');
  expect(told(report)).toContain(`due since ${iso(due)} and ended at ${iso(end)}`);
  expect(units.starts).toBe(1);
  cloud.heal();
  expect(condition(await live(slipway, machine, minute), 'Registries')).toBe('True InSync');
});

test('a node that was off for a day has a fresh credential after the first pass', async () => {
  const { machine } = await booted('agent');
  machine.host.advance(day);
  await machine.reboot();
  await machine.slipway().pass();
  const { issuedAt } = readJwt(password(machine.host)) ?? { issuedAt: 0 };
  expect(issuedAt).toBe(machine.host.now());
});

test('a node that was off for a day and cannot reach the registry runs K3s and reports the expired credential', async () => {
  const { machine } = await booted('agent');
  const { host, cloud, units } = machine;
  const end = readJwt(password(host))?.expiresAt ?? 0;
  host.advance(day);
  cloud.fail('registryPassword', away);
  await machine.reboot();
  const report = await live(machine.slipway(), machine, 10 * minute);
  expect(told(report)).toContain(`ended at ${iso(end)}; pulls of new images fail.`);
  expect(units.isActive(/^k3s/)).toBe(true);
});

/**
 * These tests use the real Azure adapter, which decides how a failure is retried. They share one adapter, because MSAL
 * keeps using the network client of the first credential in a process.
 */
describe('recovery from an outage', () => {
  const host = memoryHost();
  const answers: { imds: ResponseAnswer; registry: ResponseAnswer } = { imds: token, registry: refreshToken };
  host.onRequest({ url: /\/metadata\/identity\/oauth2\/token/ }, (request) => answer(answers.imds, request));
  host.onRequest({ url: `https://${registry}/oauth2/exchange` }, (request) =>
    answer(answers.registry, request),
  );
  const cloud = azureCloud({ host, settings: { ...defaults.azure, environment: 'public' } });
  const { attempts, run, tryOnce } = rotation(host, cloud, [registry], 0.999_999);

  /** Returns an answer with a token that expires too soon for MSAL to cache. */
  function token(): string {
    return JSON.stringify({ access_token: 'a', expires_in: '200', resource: 'r', token_type: 'Bearer' });
  }

  function refreshToken(): string {
    return JSON.stringify({ refresh_token: datedToken(host.now(), 3 * hour, `${host.now()}`) });
  }

  async function answer(given: ResponseAnswer, request: HttpSend) {
    return typeof given === 'function' ? given(request, host) : given;
  }

  function failed(reason: 'Unreachable' | 'TimedOut', code: string): Error {
    return new NodeError(reason, code, { cause: Object.assign(new Error(code), { code }) });
  }

  const hangs: ResponseAnswer = ({ timeout = 10 * second }) => {
    host.advance(timeout);
    return failed('TimedOut', 'ETIMEDOUT');
  };

  /**
   * Makes the service `where` fail with `trouble` for 20 minutes, and ends the outage right after the next failed
   * attempt. Returns the milliseconds from the end of the outage until a new password arrives.
   */
  async function recover(where: keyof typeof answers, trouble: ResponseAnswer): Promise<number> {
    const well = { ...answers };
    await run(() => attempts.size === 0 && host.files.text(file) !== undefined);
    host.advance(2 * hour);
    answers[where] = trouble;
    const outage = host.now() + 20 * minute;
    await run(() => host.now() > outage);
    const [back, before] = [host.now(), password(host)];
    await tryOnce();
    Object.assign(answers, well);
    await run(() => password(host) !== before);
    return host.now() - back;
  }

  const troubles: readonly (readonly [string, ResponseAnswer])[] = [
    ['answers 500', { status: 500 }],
    ['answers 503 with Retry-After of an hour', { status: 503, headers: { 'retry-after': '3600' } }],
    ['answers 503 with an HTML page', { status: 503, body: '<html>' }],
    ['answers 429', { status: 429 }],
    ['answers 429 with Retry-After of half a minute', { status: 429, headers: { 'retry-after': '30' } }],
    ['hangs', hangs],
    ['refuses connections', failed('Unreachable', 'ECONNREFUSED')],
    ['has a name that does not resolve', failed('Unreachable', 'ENOTFOUND')],
  ];

  test.each([
    ...troubles.map(([name, trouble]) => [`a registry that ${name}`, 'registry', trouble] as const),
    ...troubles.map(([name, trouble]) => [`a metadata service that ${name}`, 'imds', trouble] as const),
    ['a metadata service that answers 404', 'imds', { status: 404 }],
    ['a metadata service that answers 410', 'imds', { status: 410, headers: { 'retry-after': '70' } }],
    ['an identity that is removed temporarily', 'imds', { status: 400, body: '{"error":"invalid_request"}' }],
  ] as const)('takes less than a minute: %s', async (_, where, trouble) => {
    expect(await recover(where, trouble)).toBeLessThan(minute);
  });

  test.each([
    ['a registry that answers 403', { status: 403 }],
    [
      'a registry that answers 429 with a Retry-After of an hour',
      { status: 429, headers: { 'retry-after': '3600' } },
    ],
  ])('takes less than a quarter of an hour: %s', async (_, trouble) => {
    expect(await recover('registry', trouble)).toBeLessThan(15 * minute);
  });
});
