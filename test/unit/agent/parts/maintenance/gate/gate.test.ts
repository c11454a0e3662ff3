import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import type { Finding } from '../../../../../../src/agent/engine/resource.ts';
import type { Wish } from '../../../../../../src/agent/parts/k3s/index.ts';
import { maintenanceGate } from '../../../../../../src/agent/parts/maintenance/gate/gate.ts';
import { turnKeys } from '../../../../../../src/agent/parts/maintenance/turn/annotations.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { defaults } from '../../../../../../src/agent/settings/defaults.ts';
import { kernelClock } from '../../../../../lab/kernel-clock.ts';
import { serveMemoryApi } from '../../../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { issue, makeAuthority } from '../../../../../lab/standins/k3s-certificates.ts';
import { kubeconfig } from '../../../../../lab/standins/k3s-kubeconfig.ts';
import { aCluster, apiServer, putNode } from '../../../a-cluster.ts';
import { aNode } from '../../../a-node.ts';

const paths = nodePaths('/');
const server = 'https://127.0.0.1:6444';
const authority = makeAuthority('ca');
const kubelet = issue(authority, { commonName: 'system:node:vm-1', organization: 'system:nodes' });
const refused = kubeconfig({
  server,
  ca: authority.certificate,
  ...issue(authority, { commonName: 'x' }),
});
const boot = '00000001111142228333444444444444';
const wish: Wish = { kind: 'restart', name: 'restart config', digest: 'aaaaaaaaaaaa' };
const upgrade: Wish = { kind: 'upgrade', name: 'upgrade v1.36.4+k3s1', digest: 'bbbbbbbbbbbb' };
const reboot: Wish = { kind: 'reboot', name: 'reboot', digest: 'cccccccccccc' };
const token: Wish = { kind: 'token', name: 'token dddddddddddd', digest: 'dddddddddddd' };
const grant = { digest: wish.digest, boot, nonce: '0011223344556677', seconds: 600, nowhere: true };
const asked = {
  wish: wish.name,
  kind: wish.kind,
  digest: wish.digest,
  boot,
  drain: false,
  server: false,
  routes: false,
};
const begun = { nonce: grant.nonce, digest: wish.digest, wish: wish.name, state: 'begun', message: '' };

interface Annotated {
  readonly request?: object;
  readonly grant?: object;
  readonly state?: object;
}

/** Returns the host of an agent whose Node has these annotations. */
function world(
  { request, grant, state }: Annotated = {},
  shown = 'ActiveState=active\nNRestarts=0\n',
): MemoryHost {
  const host = memoryHost({
    files: {
      [paths.k3s.kubeletKubeconfig]: kubeconfig({ server, ca: authority.certificate, ...kubelet }),
    },
  });
  kernelClock(host);
  host.on({ file: 'systemctl', args: /^show / }, `${shown}InvocationID=i1\n`);
  const api = serveMemoryApi(host, server, {
    [kubelet.certificate]: { name: 'system:node:vm-1', groups: ['system:nodes'] },
  });
  const texts = { request, grant, state };
  const annotations = Object.fromEntries(
    (['request', 'grant', 'state'] as const).flatMap((key) =>
      texts[key] ? [[turnKeys[key], JSON.stringify(texts[key])]] : [],
    ),
  );
  api.objects.put('nodes', undefined, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'vm-1', annotations },
  });
  return host;
}

const night = { windows: [{ from: '01:00', to: '05:00' }] };

function gateOf(maintenance: object = {}) {
  return maintenanceGate(aNode('agent', { settings: { maintenance } })).gate;
}

function told(finding: Finding | undefined): string {
  if (finding === undefined) {
    return 'go ahead';
  }
  switch (finding.state) {
    case 'Waiting':
      return finding.reason;
    case 'Drifted':
      return finding.drift.changes.map(({ field, desired }) => `${field}: ${desired ?? 'removed'}`).join();
    default:
      return finding.state;
  }
}

describe('the gate', () => {
  test.each([
    ['asks for a turn', {}, {}, wish, 'slipway.dev/turn-request: restart config'],
    ['waits for the grant', { request: asked }, {}, wish, 'TurnAwaited'],
    [
      'begins with the grant',
      { request: asked, grant },
      {},
      wish,
      'slipway.dev/turn-state: begun: restart config',
    ],
    [
      'lets the node be interrupted in its turn',
      { request: asked, grant, state: begun },
      {},
      wish,
      'go ahead',
    ],
    [
      'asks anew after a reboot',
      { request: { ...asked, boot: 'ffffffff' }, grant: { ...grant, boot: 'ffffffff' } },
      {},
      wish,
      'slipway.dev/turn-request: restart config',
    ],
    [
      'ignores a grant for another boot',
      { request: asked, grant: { ...grant, boot: 'ffffffff' } },
      {},
      wish,
      'TurnAwaited',
    ],
    [
      'ignores a grant for another wish',
      { request: asked, grant: { ...grant, digest: 'cccccccc' } },
      {},
      wish,
      'TurnAwaited',
    ],
    [
      'does not use a grant twice',
      { request: asked, grant, state: { ...begun, state: 'done' } },
      {},
      wish,
      'TurnAwaited',
    ],
    [
      'ends a turn that a person released',
      { request: asked, grant: { withdrawn: grant.nonce }, state: begun },
      {},
      wish,
      'slipway.dev/turn-state: gaveUp: restart config',
    ],
    [
      'ends a turn that a person released, even after the next grant',
      { request: asked, grant, state: { ...begun, nonce: '8899aabbccddeeff' } },
      {},
      wish,
      'slipway.dev/turn-state: gaveUp: restart config',
    ],
    [
      'waits with TurnGivenUp after a turn that a person released',
      {
        request: asked,
        grant: { withdrawn: grant.nonce },
        state: { ...begun, state: 'gaveUp', message: 'released', reason: 'TurnGivenUp' },
      },
      {},
      wish,
      'TurnGivenUp',
    ],
    [
      'asks outside its windows, and says so',
      {},
      night,
      wish,
      'slipway.dev/turn-request: restart config, outside its windows',
    ],
    ['waits for its window', { request: { ...asked, closed: true } }, night, wish, 'WindowClosed'],
    [
      'notes the first sight of a grant outside its windows',
      { request: { ...asked, closed: true }, grant },
      night,
      wish,
      `the first sight of a grant: ${grant.nonce}`,
    ],
    [
      'begins outside its windows if a person allowed it',
      { request: { ...asked, closed: true }, grant: { ...grant, now: true } },
      night,
      wish,
      'slipway.dev/turn-state: begun: restart config',
    ],
    [
      'begins outside its windows for a credential that is about to expire',
      { request: asked, grant },
      night,
      { ...wish, outsideWindows: true },
      'slipway.dev/turn-state: begun: restart config',
    ],
    [
      'lets the node be interrupted in its turn, even outside its windows',
      { request: asked, grant, state: begun },
      night,
      wish,
      'go ahead',
    ],
    [
      'replaces a request by a more urgent one',
      { request: asked },
      {},
      upgrade,
      `slipway.dev/turn-request: ${upgrade.name}`,
    ],
    [
      'replaces a request for an upgrade that is not needed any more by one for a restart',
      { request: { ...asked, kind: 'upgrade', digest: upgrade.digest } },
      {},
      wish,
      'slipway.dev/turn-request: restart config',
    ],
    [
      'lets K3s restart in the turn of an upgrade',
      { request: { ...asked, kind: 'upgrade' }, grant, state: { ...begun, digest: upgrade.digest } },
      {},
      wish,
      'go ahead',
    ],
    [
      'makes an upgrade wait for the end of another turn',
      { request: asked, grant, state: begun },
      {},
      upgrade,
      'TurnAwaited',
    ],
    [
      'makes a reboot wait for the end of another turn',
      { request: asked, grant, state: begun },
      {},
      reboot,
      'TurnAwaited',
    ],
    [
      'lets the machine reboot in the turn of a reboot, even for another cause',
      { request: asked, grant, state: { ...begun, wish: 'reboot' } },
      {},
      reboot,
      'go ahead',
    ],
    [
      'replaces the request of an upgrade by that of a reboot',
      { request: { ...asked, kind: 'upgrade' } },
      {},
      reboot,
      'slipway.dev/turn-request: reboot',
    ],
    [
      'reports what was in the way of a drain that was given up',
      { request: asked, grant, state: { ...begun, state: 'gaveUp', message: 'default/web-0 is left' } },
      {},
      wish,
      'DrainGaveUp',
    ],
    [
      'does not begin a turn while the node is held',
      { request: asked, grant },
      { hold: 'by hand' },
      wish,
      'Held',
    ],
    [
      'does not continue a turn while the node is held',
      { request: asked, grant, state: begun },
      { hold: 'by hand' },
      wish,
      'Held',
    ],
  ] as const)('%s', async (_, annotated, maintenance, wanted, expected) => {
    expect(told(await gateOf(maintenance)(world(annotated), wanted))).toBe(expected);
  });

  test.each([
    ['begins in the last second of the grant', 599_000, /turn-state: begun/],
    ['does not begin after the last second of the grant', 601_000, /^TurnAwaited$/],
  ])('%s, whatever the clock shows', async (_, milliseconds, expected) => {
    const host = world({ request: { ...asked, closed: true }, grant });
    const noted = await gateOf(night)(host, wish);
    if (noted?.state === 'Drifted') {
      await noted.drift.remedy(host);
    }
    host.advance(milliseconds);
    host.setClock(host.now() - 86_400_000);
    const path = '/cluster/objects/nodes/_/vm-1';
    host.files.write(path, (host.files.text(path) ?? '').replace(',\\"closed\\":true', ''));
    expect(told(await gateOf()(host, wish))).toMatch(expected);
  });

  test('makes a restart wait for an upgrade that asked for the turn in the same pass', async () => {
    const host = world({ request: { ...asked, kind: 'upgrade', digest: upgrade.digest } });
    const gate = gateOf();
    await gate(host, upgrade);
    expect(told(await gate(host, wish))).toBe('TurnAwaited');
  });

  test('does not begin if the grant is withdrawn between the check and the remedy', async () => {
    const host = world({ request: asked, grant });
    const found = await gateOf()(host, wish);
    const path = '/cluster/objects/nodes/_/vm-1';
    const withdrawn = JSON.stringify(JSON.stringify({ withdrawn: grant.nonce })).slice(1, -1);
    const before = JSON.stringify(JSON.stringify(grant)).slice(1, -1);
    const text = host.files.text(path) ?? '';
    expect(text).toContain(before);
    host.files.write(path, text.replace(before, withdrawn));
    if (found?.state === 'Drifted') {
      await found.drift.remedy(host);
    }
    expect(host.files.text(path)).not.toContain('begun');
  });

  test.each([
    [
      'a node that has not joined needs no turn',
      (host: MemoryHost) => host.files.remove(paths.k3s.kubeletKubeconfig),
      'go ahead',
    ],
    [
      'a node with a damaged kubeconfig is repaired without a turn',
      (host: MemoryHost) => host.files.write(paths.k3s.kubeletKubeconfig, 'x'),
      '"restart config" without a turn: because the kubeconfig of this node is damaged',
    ],
    [
      'a node whose Node is missing is repaired without a turn',
      (host: MemoryHost) => host.files.remove('/cluster/objects/nodes/_/vm-1'),
      '"restart config" without a turn: because the cluster has no Node vm-1',
    ],
  ])('%s', async (_, damage, expected) => {
    const host = world();
    damage(host);
    expect(told(await gateOf()(host, wish))).toBe(expected);
  });

  test.each([
    [
      'has not joined',
      (host: MemoryHost) => host.files.remove(paths.k3s.kubeletKubeconfig),
      'ApiUnavailable',
    ],
    [
      'has a damaged kubeconfig',
      (host: MemoryHost) => host.files.write(paths.k3s.kubeletKubeconfig, 'x'),
      'ApiUnavailable',
    ],
    [
      'has lost its Node',
      (host: MemoryHost) => host.files.remove('/cluster/objects/nodes/_/vm-1'),
      'NodeNotFound',
    ],
    [
      'has a K3s that ends soon after each start',
      (host: MemoryHost) =>
        host.on({ file: 'systemctl', args: /^show / }, 'ActiveState=failed\nInvocationID=i1\n'),
      'slipway.dev/turn-request: reboot',
    ],
  ])('a node that %s does not reboot as a repair', async (_, damage, expected) => {
    const host = world();
    damage(host);
    expect(told(await gateOf()(host, reboot))).toBe(expected);
  });

  test.each([
    [
      'has a damaged kubeconfig',
      (host: MemoryHost) => host.files.write(paths.k3s.kubeletKubeconfig, 'x'),
      'ApiUnavailable',
    ],
    [
      'is refused by the API',
      (host: MemoryHost) => host.files.write(paths.k3s.kubeletKubeconfig, refused),
      'ApiForbidden',
    ],
    [
      'has lost its Node',
      (host: MemoryHost) => host.files.remove('/cluster/objects/nodes/_/vm-1'),
      'NodeNotFound',
    ],
  ])(
    'a node that %s waits with an upgrade or a rotation, but not with the restart for a release in place',
    async (_, damage, expected) => {
      const host = world();
      damage(host);
      expect(told(await gateOf()(host, upgrade))).toBe(expected);
      expect(told(await gateOf()(host, token))).toBe(expected);
      expect(told(await gateOf()(host, { ...upgrade, isInPlace: true }))).toMatch(/without a turn/);
    },
  );

  test('a reboot waits for its turn even if a person requested the interruption', async () => {
    const { gate } = maintenanceGate(aNode('agent'), { isByPerson: true });
    expect(told(await gate(world(), wish))).toBe('go ahead');
    expect(told(await gate(world(), reboot))).toMatch(/turn-request/);
  });

  test.each([
    ['restart', wish, {}, false],
    ['restart', wish, { restart: true }, true],
    ['reboot', reboot, {}, true],
    ['reboot', reboot, { reboot: false }, false],
  ])(
    'the request for a %s asks for a drain if the settings say so: %#',
    async (_, wanted, changes, drain) => {
      const host = world();
      const found = await gateOf({ drain: { ...defaults.maintenance.drain, ...changes } })(host, wanted);
      if (found?.state === 'Drifted') {
        await found.drift.remedy(host);
      }
      expect(host.files.text('/cluster/objects/nodes/_/vm-1')).toContain(`\\"drain\\":${drain}`);
    },
  );

  test('a K3s that ends soon after each start needs no turn, but one that starts for the first time does', async () => {
    const crashing = world({}, 'ActiveState=activating\nNRestarts=3\n');
    expect(told(await gateOf()(crashing, upgrade))).toBe('go ahead');
    const starting = world({}, 'ActiveState=activating\nNRestarts=0\n');
    expect(told(await gateOf()(starting, upgrade))).toMatch(/turn-request/);
  });

  test.each([
    [
      'is made without a turn once the API has not answered for ten minutes',
      60_000,
      /without a turn: because the API has not answered/,
    ],
    ['waits if the unanswered requests to the API are an hour apart', 3_600_000, /^ApiUnavailable$/],
  ])("a change that may restore the node's access to its cluster %s", async (_, apart, expected) => {
    const host = world();
    host.onRequest({ url: /./ }, () => new NodeError('TimedOut', 'no answer within 10 s'));
    const memory = {};
    let last: Finding | undefined;
    for (let asked = 0; asked <= 10; asked += 1) {
      const { gate } = maintenanceGate(aNode('agent'), { memory });
      last = await gate(host, { ...wish, isAboutAccess: true });
      host.advance(apart);
    }
    expect(told(last)).toMatch(expected);
  });

  test('a repair without a turn is made once for each change', async () => {
    const host = world();
    host.files.remove('/cluster/objects/nodes/_/vm-1');
    const first = await gateOf()(host, wish);
    if (first?.state === 'Drifted') {
      await first.drift.remedy(host);
    }
    expect(told(await gateOf()(host, wish))).toBe('go ahead');
    host.on({ file: 'systemctl', args: /^show / }, 'ActiveState=active\nNRestarts=0\nInvocationID=i2\n');
    const again = await gateOf()(host, wish);
    expect(again).toMatchObject({ reason: 'TurnAwaited', endedBy: 'person', blocks: false });
    expect(told(await gateOf()(host, { ...wish, digest: 'dddddddddddd' }))).toMatch(/without a turn/);
  });

  test.each([
    [
      'is repaired by a change of its access once kubelet has not reported for ten minutes',
      'Unknown',
      60_000,
      { ...wish, isAboutAccess: true },
      /because kubelet has not reported/,
    ],
    [
      'asks for its turn for a change that cannot bring kubelet back, even if kubelet is silent',
      'Unknown',
      60_000,
      wish,
      /turn-request/,
    ],
    [
      'asks for its turn while kubelet reports',
      'False',
      60_000,
      { ...wish, isAboutAccess: true },
      /turn-request/,
    ],
    [
      'asks for its turn if the checks of a silent kubelet are an hour apart',
      'Unknown',
      3_600_000,
      { ...wish, isAboutAccess: true },
      /turn-request/,
    ],
    ['asks for its turn to reboot, even if kubelet is silent', 'Unknown', 60_000, reboot, /turn-request/],
    ['asks for its turn to upgrade, even if kubelet is silent', 'Unknown', 60_000, upgrade, /turn-request/],
    [
      'is repaired by the restart for a release that is already in place',
      'Unknown',
      60_000,
      { ...upgrade, isInPlace: true },
      /because kubelet has not reported/,
    ],
  ])('a node that reaches the API %s', async (_, status, apart, wanted, expected) => {
    const host = world();
    const path = '/cluster/objects/nodes/_/vm-1';
    const conditions = [{ type: 'Ready', status }];
    host.files.write(
      path,
      JSON.stringify({ ...JSON.parse(host.files.text(path) ?? ''), status: { conditions } }),
    );
    const memory = {};
    let last: Finding | undefined;
    for (let asked = 0; asked <= 10; asked += 1) {
      last = await maintenanceGate(aNode('agent'), { memory }).gate(host, wanted);
      host.advance(apart);
    }
    expect(told(last)).toMatch(expected);
  });
});

describe('a change that has already been made', () => {
  const made = { ...upgrade, isMade: true };
  const turn = { request: asked, grant: { ...grant, digest: upgrade.digest } };
  const state = { ...begun, digest: upgrade.digest };

  test.each([
    ['keeps a turn that has begun', { ...turn, state }, [made]],
    [
      'does not keep a turn that a person released',
      { ...turn, grant: { withdrawn: grant.nonce }, state },
      [],
    ],
    ['asks for no turn', {}, []],
  ] as const)('%s', async (_, annotated, expected) => {
    const gate = maintenanceGate(aNode('agent'));
    expect(await gate.gate(world(annotated), made)).toBeUndefined();
    expect(gate.takeWishes()).toEqual(expected);
  });

  test('keeps its turn while the API does not answer', async () => {
    const host = world({ ...turn, state });
    host.onRequest({ url: /./ }, () => new NodeError('TimedOut', 'no answer within 10 s'));
    const gate = maintenanceGate(aNode('agent'));
    expect(await gate.gate(host, made)).toBeUndefined();
    expect(gate.takeWishes()).toEqual([made]);
  });
});

describe('a server', () => {
  test.each([
    ['is damaged', 'x'],
    [
      'is refused',
      kubeconfig({ server: apiServer, ca: authority.certificate, ...issue(authority, { commonName: 'x' }) }),
    ],
  ])('whose kubelet kubeconfig %s can still ask for its turn and begin it', async (_, text) => {
    const host = memoryHost();
    kernelClock(host);
    host.on({ file: 'systemctl', args: /^show / }, 'ActiveState=active\nNRestarts=0\nInvocationID=i1\n');
    const api = aCluster(host);
    putNode(api);
    host.files.write(paths.k3s.kubeletKubeconfig, text);
    const { gate } = maintenanceGate(aNode('server'));
    await carriedOut(await gate(host, wish), host);
    const node = () => Object(api.objects.get('nodes', undefined, 'vm-1')?.metadata.annotations);
    expect(JSON.parse(node()[turnKeys.request])).toMatchObject({ wish: wish.name, server: true });
    putNode(api, {
      metadata: { name: 'vm-1', annotations: { ...node(), [turnKeys.grant]: JSON.stringify(grant) } },
    });
    await carriedOut(await gate(host, wish), host);
    expect(JSON.parse(node()[turnKeys.state])).toMatchObject({ state: 'begun' });
    expect(await gate(host, wish)).toBeUndefined();
  });
});

async function carriedOut(finding: Finding | undefined, host: MemoryHost): Promise<void> {
  if (finding?.state !== 'Drifted') {
    throw new Error(told(finding));
  }
  await finding.drift.remedy(host);
}
