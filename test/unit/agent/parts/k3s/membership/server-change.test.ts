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

/** The files of an agent that do not come from its server. */
const kept = ['kubelet.kubeconfig.bak', 'my-client.crt', 'pod-manifests'];

/**
 * Returns an agent that has joined the server `configured` with the CA `ca`. The wanted server shows the CA `shown`, or
 * cannot be reached if `shown` is an Error.
 */
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

/**
 * Returns an agent that the older scripts installed, with these flags in its unit and these variables in the
 * EnvironmentFile.
 */
function adopted(flags: string, variables = '') {
  const host = unconfigured();
  const unit = '/etc/systemd/system/k3s-agent.service';
  host.files.write(unit, `[Service]\nExecStart=/usr/local/bin/k3s agent ${flags}\n`);
  host.files.write(`${unit}.env`, variables);
  return host;
}

/** Returns an agent whose CA file a power loss emptied, with a token that pins the CA `pinned`. */
function damaged(pinned: string, shown = ca) {
  const host = world(server, shown);
  host.files.write(`${agent}/server-ca.crt`, '');
  host.files.write('/var/lib/slipway/join-token', `K10${pinnedCa(pinned).hash}::node:swordfish\n`);
  return host;
}

describe('serverChange', () => {
  test.each([
    ['no server is known, and the agent has joined none', memoryHost(), { server: undefined }, 'InSync'],
    ['no server is known any more', world(), { server: undefined }, 'ServerUnknown (time, non-blocking)'],
    ['the line of the server was damaged by hand', configured(`server: "${moved}\n`), {}, 'InSync'],
    ['the line of the server has a second value', configured(`server: "${moved}" "x"\n`), {}, 'InSync'],
    ['the name of another key ends with `server`', configured(`old-server: "${moved}"\n`), {}, 'InSync'],
    ['the configuration of K3s is missing', unconfigured(), {}, 'InSync'],
    [
      'the configuration of K3s is missing, and a drop-in names another server',
      unconfigured({ [dropIn]: `server: ${moved}` }),
      {},
      'InSync',
    ],
    ['an adopted unit names no server', adopted(''), {}, 'InSync'],
    ['the agent has not joined yet', memoryHost(), {}, 'InSync'],
    ['the server is the same', world(), {}, 'InSync'],
    ['the CA file is damaged, and the server shows the CA that the token pins', damaged(ca), {}, 'InSync'],
    [
      'the CA file is damaged, and the server shows a CA that the token does not pin',
      damaged(ca, otherCa),
      {},
      'ServerChanged (person, non-blocking)',
    ],
    ['the server does not answer', world(server, unreachable(server)), {}, 'InSync'],
    ['another address is wanted', world('https://10.0.0.9:6443'), {}, 'ServerChanged (person, non-blocking)'],
    ['another address is wanted with consent', world('https://10.0.0.9:6443'), consent, 'InSync'],
    [
      'a new server with consent does not answer',
      world('https://10.0.0.9:6443', unreachable(server)),
      consent,
      'ServerUnreachable (time, non-blocking)',
    ],
    [
      'a new server without consent does not answer',
      world(moved, unreachable(server)),
      {},
      'ServerChanged (person, non-blocking)',
    ],
    [
      'the current server has consent and does not answer',
      world(server, unreachable(server)),
      consentTo(server),
      'InSync',
    ],
    ['the request fails because of a defect', world(server, new TypeError('bug')), {}, 'Error: bug'],
    ['the CA has changed', world(server, otherCa), {}, 'ServerChanged (person, non-blocking)'],
    ['an adopted unit joins the same server', adopted(`--server ${server}/`), {}, 'InSync'],
    [
      'an adopted unit joins another server',
      adopted(`--server ${moved}`),
      {},
      'ServerChanged (person, non-blocking)',
    ],
    [
      'a variable of an adopted unit names another server',
      adopted('', `K3S_URL='${moved}'`),
      {},
      'ServerChanged (person, non-blocking)',
    ],
    ['an adopted unit names an invalid server', adopted('--server nowhere://x'), {}, 'InSync'],
    ['the wanted address has consent', world(moved), consentTo(server), 'InSync'],
    [
      'only the old address has consent',
      world(moved),
      consentTo(moved),
      'ServerChanged (person, non-blocking)',
    ],
    [
      'the wanted address has consent, but not its new CA',
      world(moved, otherCa),
      consentTo(server),
      'ServerChanged (person, non-blocking)',
    ],
    [
      'a CA other than the new one has consent',
      world(server, otherCa),
      consentTo(pinnedCa(aCa()).hash),
      'ServerChanged (person, non-blocking)',
    ],
    ['the old CA certified the new one', world(server, rotated(authority)), {}, 'InSync'],
    [
      'a foreign CA is shown beside the known one',
      world(server, otherCa + ca),
      {},
      'ServerChanged (person, non-blocking)',
    ],
  ] as const)('reports $3 if $0', async (_name, host, changes, expected) => {
    expect(await outcome(serverChange(aNode('agent', changes), []), host)).toBe(expected);
  });
});

test.each(['inactive', 'failed'])(
  'with consent, serverChange stops the agent and, once it is %s, removes the files of its server, the CA last',
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

describe('the consent that serverChange requests', () => {
  test.each([
    ['an address', world(moved), [server], `this agent has joined ${moved}, and ${server} is wanted.`],
    [
      'a CA',
      world(server, otherCa),
      [pinnedCa(otherCa).hash],
      `${server} shows another CA than the one this agent knows, as a rebuilt server does.`,
    ],
    [
      'an address and its CA',
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

describe('keepingServer', () => {
  const both = [server, pinnedCa(otherCa).hash];
  test.each([
    ['the old server without consent', world(moved), aNode('agent'), moved],
    ['the old server while no server is wanted', world(moved), aNode('agent', { server: undefined }), moved],
    [
      'the old server while no server is wanted, despite consent',
      world(moved),
      aNode('agent', { server: undefined, ...consent }),
      moved,
    ],
    ['the wanted server with consent', world(moved), aNode('agent', consentTo(server)), server],
    [
      'the old server without consent to the CA of the wanted one',
      world(moved, otherCa),
      aNode('agent', consentTo(server)),
      moved,
    ],
    [
      'the wanted server with consent to its address and CA',
      world(moved, otherCa),
      aNode('agent', consentTo(...both)),
      server,
    ],
    [
      'the old server while the wanted one does not answer',
      world(moved, unreachable(server)),
      aNode('agent', consentTo(server)),
      moved,
    ],
    ['the wanted server before the agent has joined', memoryHost(), aNode('agent'), server],
    ['the wanted server if the old one is unknown', unconfigured(), aNode('agent'), server],
    ['no server for a node that is a server', serverWithToken(), aNode('server'), undefined],
  ])('returns %s', async (_name, host, node, kept) => {
    expect((await keepingServer(host, node)).server).toBe(kept);
  });

  test('sends no request if the server stays the same', async () => {
    const node = aNode('agent');
    expect(await keepingServer(world(), node)).toBe(node);
  });
});

test.each([
  [server, `join ${server}`],
  [undefined, 'learn which server to join'],
])('serverChange with the wanted server %s has the summary %j', (wanted, summary) => {
  expect(serverChange(aNode('agent', { server: wanted }), []).summary).toBe(summary);
});

test('serverChange marks each step as partial, so that K3s does not start between the steps', async () => {
  for (const state of ['active', 'inactive']) {
    const host = world(server, otherCa).on({ file: 'systemctl', args: /^show/ }, `ActiveState=${state}\n`);
    const finding = await serverChange(aNode('agent', consent), []).check(host);
    expect(finding).toMatchObject({ state: 'Drifted', drift: { partial: true } });
  }
});

test('serverChange completes after a crash at any step', async () => {
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

test('serverChange waits for a service that is stopping', async () => {
  const host = world(server, otherCa).on({ file: 'systemctl' }, 'ActiveState=deactivating\n');
  expect(await serverChange(aNode('agent', consent), []).check(host)).toMatchObject({
    state: 'Waiting',
    reason: 'ServerChanged',
    after: 1_000,
  });
});

test('serverChange pins the new CA in the token file before it removes the old one', async () => {
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
