import { describe, expect, test } from 'vitest';
import { nextAttempt } from '../../../../../src/agent/engine/backoff.ts';
import { guardLoaded } from '../../../../../src/agent/parts/network/imds-guard.ts';
import { renderRuleset } from '../../../../../src/agent/parts/network/ruleset.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { failure, outcome, settle } from '../../a-node.ts';

const address = '169.254.169.254';
const rules = { services: [{ address }], allow: [] };
const resource = guardLoaded(rules, []);
const listing = renderRuleset(rules);

function machine(state: string, nft: { exitCode?: number; stdout?: string; stderr?: string } = {}) {
  return memoryHost({ files: { '/usr/sbin/nft': 'nft' } })
    .on({ file: 'systemctl', args: /^show / }, `ActiveState=${state}\nInvocationID=i1\n`)
    .on({ file: 'systemd-run', args: / \/usr\/sbin\/nft list table inet slipway_imds$/ }, nft);
}

describe('the rules of the guard', () => {
  test.each([
    ['are in sync if they are loaded', 'active', { stdout: listing }, 'InSync'],
    [
      'drift if the loaded rules are those of an earlier configuration',
      'active',
      { stdout: listing.replace(/refuse_\w+/g, 'refuse_000000000000') },
      'Drifted rules',
    ],
    [
      'drift if they were flushed',
      'active',
      { exitCode: 1, stderr: 'Error: No such file or directory\n' },
      'Drifted rules',
    ],
    [
      'fail with ImdsGuardFailed if systemd does not answer',
      'active',
      { exitCode: 1, stderr: 'Failed to connect to bus: No such file or directory\n' },
      'ImdsGuardFailed (person)',
    ],
    [
      'fail with ImdsGuardFailed if nft is not permitted to list them',
      'active',
      { exitCode: 1, stderr: 'Operation not permitted' },
      'ImdsGuardFailed (person)',
    ],
  ])('%s', async (_, state, nft, found) => {
    expect(await outcome(resource, machine(state, nft))).toBe(found);
  });

  test('are reported with their port if they guard a single port', async () => {
    const narrow = { ...rules, services: [{ address, only: { protocol: 'tcp', port: 80 } }] } as const;
    const finding = await guardLoaded(narrow, []).check(machine('active', { stdout: renderRuleset(narrow) }));
    expect(finding).toMatchObject({
      state: 'InSync',
      message: 'pods are kept from 169.254.169.254 (tcp 80)',
    });
  });

  test.each(['inactive', 'failed', ''])(
    'drift, and are not listed, while the state of the unit is "%s"',
    async (state) => {
      const host = machine(state);
      expect(await outcome(resource, host)).toBe('Drifted rules');
      expect(host.looks.join()).not.toContain('systemd-run');
    },
  );

  test('wait while the file of their unit is missing', async () => {
    const host = memoryHost({ files: { '/usr/sbin/nft': 'nft' } }).on(
      { file: 'systemctl', args: /^show / },
      'ActiveState=inactive\nLoadState=not-found\n',
    );
    expect(await outcome(resource, host)).toBe('Waiting Blocked');
  });

  test('are listed once per check', async () => {
    const host = machine('active', { stdout: listing });
    await resource.check(host);
    expect(host.looks.filter((look) => look.startsWith('systemd-run'))).toHaveLength(1);
  });

  test('fail with NftablesMissing if nft is not installed', async () => {
    const host = machine('active');
    host.files.remove('/usr/sbin/nft');
    expect(await outcome(resource, host)).toBe('NftablesMissing (person)');
  });
});

describe('a failed load of the rules', () => {
  const asked = /^_SYSTEMD_INVOCATION_ID=i1 -t nft /;

  test.each([
    ['start', 'inactive', 'i0'],
    ['reload', 'active', 'i1'],
  ])('during a %s of the unit is reported with the output of nft', async (_, state, former) => {
    let invocation = former;
    const host = machine(state, { exitCode: 1, stderr: 'Error: No such file or directory\n' })
      .on({ file: 'systemctl', args: /^show / }, () => `ActiveState=${state}\nInvocationID=${invocation}\n`)
      .on({ file: 'systemctl', args: /^reload-or-restart / }, () => {
        invocation = 'i1';
        return { exitCode: 1, stderr: 'Job failed.' };
      })
      .on({ file: 'journalctl', args: asked }, 'x.nft:9:3-9: Error: Operation not supported\n');
    expect(await settle(resource, host)).toEqual(['Drifted rules', 'ImdsGuardFailed (person)']);
    invocation = former;
    const finding = await resource.check(host);
    const thrown = finding.state === 'Drifted' && (await finding.drift.remedy(host).catch((error) => error));
    expect(thrown.message).toContain('It wrote: x.nft:9:3-9: Error: Operation not supported');
  });

  test('is reported with the output of systemctl if the unit did not start at all', async () => {
    const host = machine('failed').on(
      { file: 'systemctl', args: /^reload-or-restart / },
      {
        exitCode: 1,
        stderr: 'Unit slipway-imds-guard.service failed to load properly: Device or resource busy',
      },
    );
    const finding = await resource.check(host);
    const thrown = finding.state === 'Drifted' && (await finding.drift.remedy(host).catch((error) => error));
    expect(failure(thrown)).toBe('ImdsGuardFailed (person)');
    expect(thrown.message).toContain('did not start, so pods can ask');
    expect(thrown.message).toContain('Device or resource busy');
  });

  test('is tried again within a minute, however often it has failed', async () => {
    const host = machine('failed').on({ file: 'systemctl', args: /^reload-or-restart / }, { exitCode: 1 });
    const finding = await resource.check(host);
    const thrown = finding.state === 'Drifted' && (await finding.drift.remedy(host).catch((error) => error));
    expect(nextAttempt(100, thrown, undefined, 1).after).toBeLessThan(60_000);
  });

  test('is reported as CommandNotFound if systemctl is not installed', async () => {
    const host = machine('inactive').on({ file: 'systemctl', args: /^reload-or/ }, { exitCode: 127 });
    const finding = await resource.check(host);
    const thrown = finding.state === 'Drifted' && (await finding.drift.remedy(host).catch((error) => error));
    expect(failure(thrown)).toBe('CommandNotFound (person)');
  });
});
