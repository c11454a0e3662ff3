import { describe, expect, test } from 'vitest';
import { upgradeVerified } from '../../../../../src/agent/parts/k3s/upgrade-verified.ts';
import { aCluster, putNode } from '../../a-cluster.ts';
import { outcome } from '../../a-node.ts';
import { binary, old, patch, recorded, recordPath, upgrading, wanting } from './upgrade/an-upgrade.ts';

const node = wanting(patch);
const verified = upgradeVerified(node, []);

/** Returns a host with a healthy K3s of the new release and its Node in the API, except for the given fields. */
function running({
  unit = {},
  kubelet = patch as string,
  ready = 'True',
  ping = 'pong',
  readyz = 'ok',
} = {}) {
  const host = upgrading({ [binary]: patch, [recordPath]: recorded() }, unit);
  const conditions = [{ type: 'Ready', status: ready, reason: 'KubeletNotReady', message: 'no network' }];
  putNode(aCluster(host), { status: { conditions, nodeInfo: { kubeletVersion: kubelet } } });
  host.onGet('https://127.0.0.1:6443/ping', ping);
  host.onGet('https://127.0.0.1:6443/readyz?verbose', readyz);
  return host;
}

/** Checks, and carries out the step that is due, if any; returns the outcome of the check. */
async function pass(host: ReturnType<typeof running>): Promise<string> {
  const told = await outcome(verified, host);
  const finding = await verified.check(host);
  if (finding.state === 'Drifted') {
    await finding.drift.remedy(host);
  }
  return told;
}

const seconds = (host: ReturnType<typeof running>, uptime: number) =>
  host.files.write('/proc/uptime', `${uptime}.00 0.00\n`);

describe('upgradeVerified', () => {
  test('watches a healthy release for a minute of uptime, even if Slipway restarts meanwhile', async () => {
    const host = running();
    seconds(host, 100);
    expect(await pass(host)).toBe('Drifted upgrade');
    expect(await pass(host)).toBe('Waiting Upgrading');
    seconds(host, 159);
    host.restart();
    expect(await pass(host)).toBe('Waiting Upgrading');
    seconds(host, 160);
    expect(await pass(host)).toBe('Drifted upgrade');
    expect(JSON.parse(host.files.text(recordPath) ?? '').state).toBe('done');
    expect(await pass(host)).toBe('InSync');
  });

  test.each([
    ['90s', 90, '90 s'],
    ['10m', 600, '10 minutes'],
  ])('watches a healthy release for the %s in maintenance.watchFor', async (text, long, words) => {
    const settings = { k3s: { upgrade: 'auto' }, maintenance: { watchFor: text } };
    const patient = upgradeVerified(wanting(patch, { settings }), []);
    const host = running();
    const held = { invocation: 'one', restarts: 0, since: 100_000 };
    host.files.write(recordPath, recorded({ held }));
    seconds(host, 100 + long - 1);
    expect(await patient.check(host)).toMatchObject({
      state: 'Waiting',
      message: `K3s ${patch} runs, and is watched for ${words}`,
      after: 1_000,
    });
    seconds(host, 100 + long);
    expect((await patient.check(host)).state).toBe('Drifted');
  });

  test.each([
    ['K3s was started again', { InvocationID: 'two' }],
    ['systemd restarted K3s', { NRestarts: '1' }],
  ])('starts watching again from the beginning if %s', async (_, unit) => {
    const host = running({ unit });
    const held = { invocation: 'one', restarts: 0, since: 0 };
    host.files.write(recordPath, recorded({ held }));
    seconds(host, 100);
    expect(await pass(host)).toBe('Drifted upgrade');
    expect(JSON.parse(host.files.text(recordPath) ?? '')).toMatchObject({
      state: 'begun',
      held: { since: 100_000 },
    });
  });

  test.each([
    ['K3s is starting', { unit: { ActiveState: 'activating' } }, 'its unit is activating'],
    ['kubelet reports the old version', { kubelet: old }, `kubelet reports ${old}`],
    ['the node is not Ready', { ready: 'False' }, 'no network'],
    ['the supervisor does not answer', { ping: 'starting' }, '/ping'],
    [
      'a check of the API fails',
      { readyz: '[+]ping ok\n[-]etcd failed: reason withheld\n' },
      '[-]etcd failed',
    ],
  ])('waits without a change while %s', async (_, world, why) => {
    const host = running(world);
    const finding = await verified.check(host);
    expect(finding).toMatchObject({ state: 'Waiting', reason: 'Upgrading', blocks: false });
    expect(JSON.stringify(finding)).toContain(why);
  });

  test('records an upgrade that was given up as done if its release comes up after all', async () => {
    const host = running();
    host.files.write(
      recordPath,
      recorded({ state: 'gaveUp', held: { invocation: 'one', restarts: 0, since: 0 } }),
    );
    seconds(host, 100);
    await pass(host);
    expect(JSON.parse(host.files.text(recordPath) ?? '').state).toBe('done');
  });

  test.each([
    ['the settings want another release', wanting('v1.36.5+k3s1'), 'Drifted upgrade'],
    [
      'upgrades are manual now',
      wanting(patch, { settings: { k3s: { upgrade: 'manual' } } }),
      'Drifted upgrade',
    ],
    ['the executable is still to be replaced', node, 'InSync'],
  ])(
    'forgets an upgrade that has not replaced the executable yet only if it is no longer wanted: %s',
    async (_, wanted, expected) => {
      const host = upgrading({ [binary]: old, [recordPath]: recorded() });
      expect(await outcome(upgradeVerified(wanted, []), host)).toBe(expected);
    },
  );
});
