import { expect, test } from 'vitest';
import type { Finding } from '../../../../../../src/agent/engine/resource.ts';
import type { Wish } from '../../../../../../src/agent/parts/k3s/index.ts';
import { maintenanceGate } from '../../../../../../src/agent/parts/maintenance/gate/gate.ts';
import { turnEnded } from '../../../../../../src/agent/parts/maintenance/gate/turn-ended.ts';
import { readTurn, turnKeys } from '../../../../../../src/agent/parts/maintenance/turn/annotations.ts';
import { kernelClock } from '../../../../../lab/kernel-clock.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aCluster, putNode } from '../../../a-cluster.ts';
import { aNode } from '../../../a-node.ts';

const reboot: Wish = { kind: 'reboot', name: 'reboot', digest: 'aaaaaaaaaaaa' };
const upgrade: Wish = { kind: 'upgrade', name: 'upgrade v1.36.4+k3s1', digest: 'bbbbbbbbbbbb' };
const restart: Wish = { kind: 'restart', name: 'restart config', digest: 'cccccccccccc' };
const logins: Wish = { ...restart, name: 'restart registryLogins', outsideWindows: true };
const renewal: Wish = { kind: 'certificates', name: 'renew certificates', digest: 'dddddddddddd' };
const soon: Wish = { ...renewal, outsideWindows: true };
const late: Wish = { ...soon, isUrgent: true };
const night = { windows: [{ from: '01:00', to: '05:00' }] };

/** Returns a server to which no turn is granted. */
function ungranted(maintenance: object) {
  const host = memoryHost();
  kernelClock(host);
  host.on({ file: 'systemctl', args: /^show / }, 'ActiveState=active\nNRestarts=0\nInvocationID=i1\n');
  const api = aCluster(host);
  putNode(api);
  const node = aNode('server', { settings: { maintenance } });
  const annotations = () => Object(api.objects.get('nodes', undefined, 'vm-1')?.metadata.annotations);
  const request = () => readTurn(annotations()).request?.wish;
  return {
    /** Makes the last turn of the node one that was given up for this wish. */
    giveUp({ name, digest }: Wish): void {
      const state = {
        nonce: '0011223344556677',
        digest,
        wish: name,
        state: 'gaveUp',
        message: 'a pod is left',
      };
      const changed = { ...annotations(), [turnKeys.state]: JSON.stringify(state) };
      putNode(api, { metadata: { name: 'vm-1', annotations: changed } });
    },
    /** Shows the node that it gets no turn for this wish, because another node failed. */
    stop({ name, digest }: Wish): void {
      const stopped = [{ wish: name, digest, why: 'waits because agent-1 failed' }];
      const changed = { ...annotations(), [turnKeys.stopped]: JSON.stringify(stopped) };
      putNode(api, { metadata: { name: 'vm-1', annotations: changed } });
    },
    /** Makes a pass with these wishes, and returns what the node asks for after each step. */
    async pass(wishes: readonly Wish[]): Promise<readonly (string | undefined)[]> {
      const gate = maintenanceGate(node);
      const requests: (string | undefined)[] = [];
      for (const wish of wishes) {
        await carryOut(await gate.gate(host, wish), host);
        requests.push(request());
      }
      const ended = turnEnded(
        node,
        { gate, takenBack: async () => undefined, undone: async () => undefined },
        [],
      );
      await carryOut(await ended.check(host), host);
      return [...requests, request()];
    },
  };
}

async function carryOut(finding: Finding | undefined, host: MemoryHost): Promise<void> {
  if (finding?.state === 'Drifted') {
    await finding.drift.remedy(host);
  }
}

test.each([
  ['an urgent renewal, not for a reboot', {}, [reboot, late], late],
  ['an urgent renewal, not for an upgrade', night, [upgrade, late], late],
  ['an urgent renewal, not for another credential', night, [reboot, logins, late], late],
  ['a renewal that ignores windows, not for a reboot that waits for one', night, [reboot, soon], soon],
  ['an ending credential, not for a reboot that waits for its window', night, [reboot, logins], logins],
  ['the first of two wishes that ignore windows', night, [reboot, logins, soon], logins],
  ['a reboot within its window, although a renewal ignores windows', {}, [reboot, soon], reboot],
  ['a reboot, if the renewal waits for the same window', night, [reboot, renewal], reboot],
  ['an upgrade, not for a restart', {}, [upgrade, restart], upgrade],
] as const)(
  'a node with several wishes asks for %s, and keeps asking for it',
  async (_, maintenance, wishes, expected) => {
    const { pass } = ungranted(maintenance);
    expect((await pass(wishes)).at(-1)).toBe(expected.name);
    const later = [await pass(wishes), await pass(wishes)].flat();
    expect(new Set(later)).toEqual(new Set([expected.name]));
  },
);

test('a wish whose last turn was given up does not delay other wishes', async () => {
  const { pass, giveUp } = ungranted({});
  expect((await pass([reboot, soon])).at(-1)).toBe('reboot');
  giveUp(reboot);
  await pass([reboot, soon]);
  const later = [await pass([reboot, soon]), await pass([reboot, soon])].flat();
  expect(new Set(later)).toEqual(new Set([soon.name]));
});

test.each([
  [reboot, restart],
  [upgrade, renewal],
])(
  'a wish for which no turn is granted after a failure does not delay other wishes: %#',
  async (wish, other) => {
    const { pass, stop } = ungranted({});
    expect((await pass([wish, other])).at(-1)).toBe(wish.name);
    stop(wish);
    await pass([wish, other]);
    const later = [await pass([wish, other]), await pass([wish, other])].flat();
    expect(new Set(later)).toEqual(new Set([other.name]));
    await pass([wish]);
    expect((await pass([wish])).at(-1)).toBe(wish.name);
  },
);

test('a wish does not wait for an urgent request that nothing needs any more', async () => {
  const { pass } = ungranted(night);
  await pass([reboot, late]);
  await pass([reboot]);
  expect((await pass([reboot])).at(-1)).toBe('reboot');
});
