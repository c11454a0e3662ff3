import { describe, expect, test } from 'vitest';
import { pinnedCa } from '../../../../../../src/agent/parts/k3s/membership/ca.ts';
import {
  keepingServer,
  serverChange,
} from '../../../../../../src/agent/parts/k3s/membership/server-change.ts';
import { consentAdvice } from '../../../../../../src/agent/settings/consents.ts';
import { type MemoryHost, memoryHost, unreachable } from '../../../../../lab/memory-host.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';
import { aCa, anAuthority, rotated } from './certificates.ts';

const server = 'https://10.0.0.4:6443';
const agent = '/var/lib/rancher/k3s/agent';
const authority = anAuthority();
const [ca, otherCa] = [authority.certificate, aCa()];
const consent = { settings: { consent: { serverChange: true } } };
const consentTo = (...serverChange: readonly string[]) => ({ settings: { consent: { serverChange } } });
const moved = 'https://10.0.0.9:6443';
const dropIn = '/etc/rancher/k3s/config.yaml.d/mine.yaml';

/** Files of an agent that do not come from its server. */
const kept = ['kubelet.kubeconfig.bak', 'my-client.crt', 'pod-manifests'];

/** An agent that has joined `configured`, whose CA was `ca`; the wanted server shows `shown`. */
function world(configured = server, shown: string | Error = ca): MemoryHost {
  const host = memoryHost({
    files: {
      '/etc/rancher/k3s/config.yaml': `server: "${configured}"\n`,
      [`${agent}/server-ca.crt`]: ca,
      [`${agent}/kubelet.kubeconfig`]: 'old',
      [`${agent}/client-kubelet.crt`]: 'old',
      [`${agent}/client-ca.crt`]: 'old',
      [`${agent}/pod-manifests/x.yaml`]: 'kept',
      [`${agent}/kubelet.kubeconfig.bak`]: 'kept',
      [`${agent}/my-client.crt`]: 'kept',
    },
  });
  if (shown instanceof Error) {
    return host.onGet(`${server}/ping`, shown);
  }
  return host.onGet(`${server}/ping`, 'pong').onGet(`${server}/cacerts`, shown);
}

function configured(line: string) {
  const host = world();
  host.files.write('/etc/rancher/k3s/config.yaml', line);
  return host;
}

function serverWithToken() {
  const host = world(moved);
  host.files.write('/var/lib/rancher/k3s/server/token', 'K10a::server:x');
  return host;
}

function unconfigured(files: Readonly<Record<string, string>> = {}) {
  const host = world();
  for (const [path, text] of Object.entries(files)) {
    host.files.write(path, `${text}\n`);
  }
  host.files.remove('/etc/rancher/k3s/config.yaml');
  return host;
}

/** An agent installed by scripts: its server is in the unit, or in the EnvironmentFile beside it. */
function adopted(flags: string, variables = '') {
  const host = unconfigured();
  const unit = '/etc/systemd/system/k3s-agent.service';
  host.files.write(unit, `[Service]\nExecStart=/usr/local/bin/k3s agent ${flags}\n`);
  host.files.write(`${unit}.env`, variables);
  return host;
}

/** An agent whose CA file a power loss emptied, with a token that pins this CA. */
function damaged(pinned: string, shown = ca) {
  const host = world(server, shown);
  host.files.write(`${agent}/server-ca.crt`, '');
  host.files.write('/var/lib/slipway/join-token', `K10${pinnedCa(pinned).hash}::node:swordfish\n`);
  return host;
}

describe('the check of the server', () => {
  test.each([
    ['no server is known, and none was joined', memoryHost(), { server: undefined }, 'InSync'],
    ['no server is known any more', world(), { server: undefined }, 'ServerUnknown (time, non-blocking)'],
    ['its line was damaged by hand', configured(`server: "${moved}\n`), {}, 'InSync'],
    ['its line names another server as well', configured(`server: "${moved}" "x"\n`), {}, 'InSync'],
    ['the name of another key ends with `server`', configured(`old-server: "${moved}"\n`), {}, 'InSync'],
    ['its configuration is gone', unconfigured(), {}, 'InSync'],
    [
      'its configuration is gone, and a drop-in names another',
      unconfigured({ [dropIn]: `server: ${moved}` }),
      {},
      'InSync',
    ],
    ['an adopted unit names no server', adopted(''), {}, 'InSync'],
    ['it has not joined yet', memoryHost(), {}, 'InSync'],
    ['its server is the same', world(), {}, 'InSync'],
    ['its server shows the CA that the token pins, and its own file is damaged', damaged(ca), {}, 'InSync'],
    [
      'its server shows a CA that differs from the pinned one, and its own file is damaged',
      damaged(ca, otherCa),
      {},
      'ServerChanged (person, non-blocking)',
    ],
    ['its server is away', world(server, unreachable(server)), {}, 'InSync'],
    ['another address is wanted', world('https://10.0.0.9:6443'), {}, 'ServerChanged (person, non-blocking)'],
    ['another address is wanted, with consent', world('https://10.0.0.9:6443'), consent, 'InSync'],
    [
      'the wanted server is away',
      world('https://10.0.0.9:6443', unreachable(server)),
      consent,
      'ServerUnreachable (time, non-blocking)',
    ],
    [
      'the wanted server is away, and not consented to',
      world(moved, unreachable(server)),
      {},
      'ServerChanged (person, non-blocking)',
    ],
    ['its server is away, and consented to', world(server, unreachable(server)), consentTo(server), 'InSync'],
    ['the request causes a defect', world(server, new TypeError('bug')), {}, 'Error: bug'],
    ['the CA has changed', world(server, otherCa), {}, 'ServerChanged (person, non-blocking)'],
    ['an adopted unit joins the same server', adopted(`--server ${server}/`), {}, 'InSync'],
    [
      'an adopted unit joins another server',
      adopted(`--server ${moved}`),
      {},
      'ServerChanged (person, non-blocking)',
    ],
    [
      'a variable joins another server',
      adopted('', `K3S_URL='${moved}'`),
      {},
      'ServerChanged (person, non-blocking)',
    ],
    ['an adopted unit names an invalid server', adopted('--server nowhere://x'), {}, 'InSync'],
    ['that address is consented to', world(moved), consentTo(server), 'InSync'],
    [
      'another address is consented to',
      world(moved),
      consentTo(moved),
      'ServerChanged (person, non-blocking)',
    ],
    [
      'the address is consented to, and its CA is another',
      world(moved, otherCa),
      consentTo(server),
      'ServerChanged (person, non-blocking)',
    ],
    [
      'another CA is consented to',
      world(server, otherCa),
      consentTo(pinnedCa(aCa()).hash),
      'ServerChanged (person, non-blocking)',
    ],
    ['the CA was renewed', world(server, rotated(authority)), {}, 'InSync'],
    [
      'another CA is shown beside the known certificate',
      world(server, otherCa + ca),
      {},
      'ServerChanged (person, non-blocking)',
    ],
  ] as const)('%s', async (_name, host, changes, expected) => {
    expect(await outcome(serverChange(aNode('agent', changes), []), host)).toBe(expected);
  });
});

test.each(['inactive', 'failed'])(
  'with consent the agent stops (%s) and forgets its server, its CA last',
  async (stopped) => {
    let state = 'active';
    const host = world(server, otherCa)
      .on({ file: 'systemctl', args: /^show k3s-agent\.service/ }, () => `ActiveState=${state}\n`)
      .on({ file: 'systemctl', args: ['stop', '--no-block', 'k3s-agent.service'] }, () => {
        state = stopped;
        return '';
      });
    const resource = serverChange(aNode('agent', consent), []);
    expect(await settle(resource, host)).toEqual([
      'Drifted k3s-agent.service',
      'Drifted server CA',
      'InSync',
    ]);
    expect(host.journal.slice(1)).toEqual(
      ['client-ca.crt', 'client-kubelet.crt', 'kubelet.kubeconfig', 'server-ca.crt'].map((name) => ({
        kind: 'remove',
        path: `${agent}/${name}`,
      })),
    );
    expect(await host.list(agent)).toEqual(kept);
  },
);

describe('the requested consent', () => {
  test.each([
    ['an address', world(moved), [server], `this agent has joined ${moved}, and ${server} is wanted.`],
    [
      'a CA',
      world(server, otherCa),
      [pinnedCa(otherCa).hash],
      `${server} shows another CA than the one this agent knows, as a rebuilt server does.`,
    ],
    [
      'both',
      world(moved, otherCa),
      [server, pinnedCa(otherCa).hash],
      `${server} is wanted, which shows another CA than the one this agent knows.`,
    ],
  ] as const)('names %s, and is sufficient', async (_name, host, subjects, what) => {
    const asked = await serverChange(aNode('agent'), [])
      .check(host)
      .catch((thrown: Error) => thrown.message);
    expect(asked).toContain(what);
    expect(asked).toContain(consentAdvice(aNode('agent').settings, 'serverChange', ...subjects));
    expect(await outcome(serverChange(aNode('agent', consentTo(...subjects)), []), host)).not.toContain(
      'ServerChanged',
    );
  });
});

describe('the server that a node keeps until consent', () => {
  const both = [server, pinnedCa(otherCa).hash];
  test.each([
    ['the old one without consent', world(moved), aNode('agent'), moved],
    ['the old one while no server is wanted', world(moved), aNode('agent', { server: undefined }), moved],
    [
      'the old one while none is wanted, despite consent',
      world(moved),
      aNode('agent', { server: undefined, ...consent }),
      moved,
    ],
    ['the wanted one with consent', world(moved), aNode('agent', consentTo(server)), server],
    [
      'the old one without consent to the CA',
      world(moved, otherCa),
      aNode('agent', consentTo(server)),
      moved,
    ],
    [
      'the wanted one with consent to both',
      world(moved, otherCa),
      aNode('agent', consentTo(...both)),
      server,
    ],
    [
      'the old one while the wanted one is away',
      world(moved, unreachable(server)),
      aNode('agent', consentTo(server)),
      moved,
    ],
    ['the wanted one before it has joined', memoryHost(), aNode('agent'), server],
    ['the wanted one if the old one is unknown', unconfigured(), aNode('agent'), server],
    ['none on a server', serverWithToken(), aNode('server'), undefined],
  ])('is %s', async (_name, host, node, kept) => {
    expect((await keepingServer(host, node)).server).toBe(kept);
  });

  test('is not contacted if it stays the same', async () => {
    const node = aNode('agent');
    expect(await keepingServer(world(), node)).toBe(node);
  });
});

test.each([
  [server, `join ${server}`],
  [undefined, 'learn which server to join'],
])('a plan shows the change for the server %s', (wanted, summary) => {
  expect(serverChange(aNode('agent', { server: wanted }), []).summary).toBe(summary);
});

test('no single step counts as the whole change, so K3s is not started in between', async () => {
  for (const state of ['active', 'inactive']) {
    const host = world(server, otherCa).on({ file: 'systemctl', args: /^show/ }, `ActiveState=${state}\n`);
    const finding = await serverChange(aNode('agent', consent), []).check(host);
    expect(finding).toMatchObject({ state: 'Drifted', drift: { partial: true } });
  }
});

test('a crash at any step of the change heals', async () => {
  for (const mutation of [1, 2, 3, 4, 5]) {
    let state = 'active';
    const host = world(server, otherCa)
      .on({ file: 'systemctl', args: /^show/ }, () => `ActiveState=${state}\n`)
      .on({ file: 'systemctl', args: /^stop/ }, () => {
        state = 'inactive';
        return '';
      })
      .crashBefore(mutation);
    const resource = serverChange(aNode('agent', consent), []);
    await settle(resource, host);
    expect(host.crashed).toBe(true);
    expect((await settle(resource, host.restart())).at(-1)).toBe('InSync');
    expect(await host.list(agent)).toEqual(kept);
  }
});

test('a service that is stopping is waited for', async () => {
  const host = world(server, otherCa).on({ file: 'systemctl' }, 'ActiveState=deactivating\n');
  expect(await serverChange(aNode('agent', consent), []).check(host)).toMatchObject({
    state: 'Waiting',
    reason: 'ServerChanged',
    after: 1_000,
  });
});

test('with consent the token pins the new CA before the old one is forgotten', async () => {
  const host = world(server, otherCa).on({ file: 'systemctl' }, 'ActiveState=inactive\n');
  const path = '/var/lib/slipway/join-token';
  host.files.write(path, `K10${pinnedCa(ca).hash}::node:swordfish\n`, 0o600);
  await settle(serverChange(aNode('agent', consent), []), host);
  expect(host.files.read(path)).toMatchObject({
    content: `K10${pinnedCa(otherCa).hash}::node:swordfish\n`,
    mode: 0o600,
  });
  expect(host.journal.slice(-2)).toMatchObject([
    { kind: 'write', path },
    { kind: 'remove', path: `${agent}/server-ca.crt` },
  ]);
});
