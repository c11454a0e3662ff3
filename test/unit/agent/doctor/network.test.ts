import { describe, expect, test } from 'vitest';
import { clouds } from '../../../../src/agent/clouds/index.ts';
import { networkProbes } from '../../../../src/agent/doctor/network.ts';
import { examine } from '../../../../src/agent/doctor/probe.ts';
import { NodeError } from '../../../../src/agent/engine/errors.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const name = 'myteam.azurecr.io';

async function lookedAt(host: ReturnType<typeof memoryHost>, proxy?: string) {
  const { hints } = clouds.azure;
  const asked = [new URL(`https://${name}`)];
  const found = await examine(networkProbes({ host, asked, proxy, hints }), { now: () => host.now() });
  return Object.fromEntries(found.map((diagnosis) => [diagnosis.what, diagnosis]));
}

function world({ date, ...resolved }: { date?: string; exitCode?: number; stdout?: string } = {}) {
  const host = memoryHost();
  const now = new Date(host.now()).toUTCString();
  return host
    .on(
      { file: 'getent', args: ['ahosts', name] },
      { stdout: '10.0.0.9 STREAM x\n10.0.0.9 DGRAM\n', ...resolved },
    )
    .onGet(`https://${name}/`, { status: 404, headers: { date: date ?? now } });
}

test('the network probes report a healthy network as ok', async () => {
  const found = await lookedAt(world());
  expect(found).toMatchObject({
    proxy: { level: 'ok', message: 'none' },
    [`DNS ${name}`]: { level: 'ok', message: '10.0.0.9' },
    clock: { level: 'ok' },
  });
});

test('the DNS probe fails for a name without an address, and is skipped if getent is missing', async () => {
  const { [`DNS ${name}`]: unknown } = await lookedAt(world({ exitCode: 2, stdout: '' }));
  expect(unknown).toMatchObject({
    level: 'failure',
    repair: expect.stringContaining('its private DNS zones must know the name'),
  });
  const { [`DNS ${name}`]: unasked } = await lookedAt(world({ exitCode: 127, stdout: '' }));
  expect(unasked?.level).toBe('skipped');
});

test('the proxy probe hides the login, and the DNS probe is skipped if a proxy resolves the names', async () => {
  const found = await lookedAt(world(), 'http://user:canary@10.0.0.3:3128');
  expect(found.proxy?.message).toBe('http://10.0.0.3:3128');
  expect(found[`DNS ${name}`]?.level).toBe('skipped');
});

describe('the clock probe', () => {
  test.each([
    [30, 'ok', '30 s ahead of'],
    [-90, 'warning', '90 s behind'],
    [600, 'failure', '600 s ahead of'],
  ] as const)(
    'reports a difference of %i s from the clock of a server as %s',
    async (seconds, level, message) => {
      const theirs = new Date(memoryHost().now() - seconds * 1_000).toUTCString();
      const { clock } = await lookedAt(world({ date: theirs }));
      expect(clock?.level).toBe(level);
      expect(clock?.message).toContain(message);
      expect(clock?.repair !== undefined).toBe(level !== 'ok');
    },
  );

  test('is skipped if the server does not answer', async () => {
    const host = world();
    host.onGet(`https://${name}/`, new NodeError('Unreachable', 'the connection is refused'));
    expect((await lookedAt(host)).clock?.level).toBe('skipped');
  });

  test('is skipped if the server sends no date', async () => {
    expect((await lookedAt(world({ date: '' }))).clock?.level).toBe('skipped');
  });
});
