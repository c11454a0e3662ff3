import { describe, expect, test } from 'vitest';
import type { Status } from '../../../../src/agent/report/status.ts';
import { statusLine, statusText, type View } from '../../../../src/agent/report/status-text.ts';

const now = Date.parse('2026-01-01T02:00:00Z');
const view: View = { running: true, now, width: 80, color: false };

function condition(type: string, rest: { status?: string; reason?: string; message?: string } = {}) {
  return {
    ...{ type, status: 'True', reason: 'InSync', message: '' },
    lastTransitionTime: '2026-01-01T00:00:00.000Z',
    ...rest,
  };
}

const forbidden =
  'The identity of this VM may not read the secret "k3s-token" of https://slipway.vault.azure.net. Give it the role ' +
  '"Key Vault Secrets User" on the vault; Azure takes up to ten minutes to heed it.';

const waiting = {
  version: '1.2.3',
  pid: 42,
  role: 'server',
  node: 'vm-server',
  updated: '2026-01-01T01:59:30.000Z',
  nextPass: { at: '2026-01-01T02:00:10.000Z', because: 'Credential/join-token (VaultForbidden)' },
  k3s: { wanted: 'v1.36.3+k3s1' },
  conditions: [
    condition('Ready', { status: 'Unknown', reason: 'VaultForbidden', message: forbidden }),
    condition('Settings', { message: '/etc/slipway/config.yaml' }),
    condition('JoinToken', { status: 'False', reason: 'VaultForbidden', message: forbidden }),
    condition('Registries', { message: `all is fine ${'and more '.repeat(20)}` }),
    condition('K3sRunning', {
      status: 'Unknown',
      reason: 'Blocked',
      message: 'waits for Credential/join-token',
    }),
  ],
  credentials: [
    {
      server: 'slipway.azurecr.io',
      received: '2026-01-01T01:00:00.000Z',
      renewal: '2026-01-01T03:00:00.000Z',
      ends: '2026-01-01T04:00:00.000Z',
      proof: 'slipway.azurecr.io/hello/world:1 pulled at 01:00:02Z (sha256:34a5fa638d06, 4.2 KiB)',
    },
    { server: 'other.azurecr.io', received: '2026-01-01T01:00:00.000Z', ends: '2026-01-01T01:30:00.000Z' },
    { server: 'fixed.azurecr.io', received: '2026-01-01T01:00:00.000Z' },
  ],
  certificates: [],
  resources: [
    { id: 'File//etc/rancher/k3s/config.yaml', condition: 'K3sConfig', state: 'InSync' },
    {
      ...{ id: 'Credential/join-token', condition: 'JoinToken', state: 'Failed', reason: 'VaultForbidden' },
      until: '2026-01-01T02:09:00.000Z',
    },
    { id: 'Service/k3s', condition: 'K3sRunning', state: 'Blocked', reason: 'Blocked' },
  ],
  changes: [
    { at: '2026-01-01T01:58:00.000Z', resource: 'File/x', did: `write ${'/a/long/path'.repeat(9)}` },
    { at: '2026-01-01T01:00:00.000Z', resource: 'Link/y', did: 'link /usr/local/bin/kubectl to k3s' },
  ],
} satisfies Status;

test('statusText fits on a screen of 80 columns', () => {
  expect(statusText(waiting, view)).toBe(`vm-server  server  not Ready: VaultForbidden  slipway 1.2.3
K3s v1.36.3+k3s1 wanted; not seen Ready in the last pass
next pass in 10s (Credential/join-token (VaultForbidden))

CONDITION   STATUS   AGE   REASON
Ready       Unknown  2h0m  VaultForbidden
Settings    True     2h0m  InSync  /etc/slipway/config.yaml
JoinToken   False    2h0m  VaultForbidden
  The identity of this VM may not read the secret "k3s-token" of
  https://slipway.vault.azure.net. Give it the role "Key Vault Secrets User" on
  the vault; Azure takes up to ten minutes to heed it.
Registries  True     2h0m  InSync  all is fine and more and more and more and m…
K3sRunning  Unknown  2h0m  Blocked  waits for Credential/join-token

CREDENTIAL          RECEIVED  RENEWAL  ENDS
slipway.azurecr.io  1h0m ago  in 1h0m  in 2h0m
  slipway.azurecr.io/hello/world:1 pulled at 01:00:02Z (sha256:34a5fa638d06, 4.2
  KiB)
other.azurecr.io    1h0m ago  never    30m0s ago
  no pull was proven yet
fixed.azurecr.io    1h0m ago  never    no end known
  no pull was proven yet

WAITS FOR              NEXT LOOK  REASON
Credential/join-token  in 9m0s    VaultForbidden

LAST CHANGES
2m0s ago      write /a/long/path/a/long/path/a/long/path/a/long/path/a/long/pat…
1h0m ago      link /usr/local/bin/kubectl to k3s
`);
});

test('statusText wraps lines at the width of the terminal, or at 60 columns if the terminal is narrower', () => {
  for (const width of [40, 80, 100, 200]) {
    const lines = statusText(waiting, { ...view, width }).split('\n');
    const wide = lines.filter((line) => line.length > Math.max(width, 60) && line.trim().includes(' '));
    expect(wide).toEqual([]);
  }
});

test('statusText adds nothing but colours for a terminal', () => {
  const coloured = statusText(waiting, { ...view, color: true });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with a control character.
  expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(statusText(waiting, view));
  expect(coloured).toContain('\u001b[31mFalse\u001b[39m');
  expect(coloured).toContain('\u001b[33mUnknown\u001b[39m');
  expect(coloured).toContain('\u001b[32mTrue\u001b[39m');
});

test('statusText shows the leaf and the CA that end first, and the renewal of the leaf', () => {
  const from = '2025-01-01T00:00:00.000Z';
  const leaf = (name: string, ends: string, renewal: string) => ({
    ...{ name, kind: 'leaf', from },
    ends,
    renewal,
  });
  const certificates = [
    leaf('agent/serving-kubelet.crt', '2027-02-01T02:00:00.000Z', '2026-10-01T02:00:00.000Z'),
    leaf('agent/client-kubelet.crt', '2027-01-01T02:00:00.000Z', '2026-09-03T02:00:00.000Z'),
    { name: 'agent/server-ca.crt', kind: 'ca', from, ends: '2026-01-11T02:00:00.000Z' },
    { name: 'port 6443', kind: 'serving', from, ends: '2026-01-02T02:00:00.000Z' },
  ];
  expect(statusText({ ...waiting, certificates }, view)).toContain(
    '\nfirst certificate ends in 365d0h (agent/client-kubelet.crt), its renewal is due\nin 245d0h, first CA ends in 10d0h\n',
  );
});

describe('the first lines of the status', () => {
  const small = { ...waiting, conditions: [condition('Ready')], credentials: [], resources: [], changes: [] };
  const told = (status: Status, running: boolean | undefined = true) =>
    statusText(status, { ...view, running })
      .split('\n')
      .slice(0, 3)
      .join('\n');

  test('show a Ready node', () => {
    const running = { ...small, k3s: { wanted: 'v1.36.3+k3s1', running: 'v1.36.3+k3s1' } };
    expect(told(running)).toMatch(
      /^vm-server {2}server {2}Ready {2}slipway 1.2.3\nK3s v1.36.3\+k3s1 runs, as wanted\n/,
    );
  });

  test('show the failure of a Ready node, and a release that differs from the wanted one', () => {
    const drifted = {
      ...small,
      k3s: { wanted: 'v1.37.0+k3s1', running: 'v1.36.3+k3s1' },
      conditions: [condition('Ready', { reason: 'VersionDrift' })],
    };
    expect(told(drifted)).toContain('Ready, but VersionDrift');
    expect(told(drifted)).toContain('K3s v1.36.3+k3s1 runs, v1.37.0+k3s1 wanted');
  });

  test('show that the daemon is not running, or that none is expected', () => {
    expect(told(small, false)).toContain('the daemon is not running; this is from 30s ago');
    expect(told(small, undefined)).not.toContain('the daemon is not running');
    expect(statusText(small, { ...view, running: undefined })).toContain(
      'applied once; no daemon maintains it',
    );
  });

  test('show that role and node are not known yet', () => {
    const nothing = { ...small, role: undefined, node: undefined, k3s: {}, conditions: [] };
    expect(told(nothing)).toBe(
      'unnamed node  no role yet  nothing known yet  slipway 1.2.3\nnext pass in 10s (Credential/join-token (VaultForbidden))\n',
    );
  });
});

describe('the line of systemctl status', () => {
  const waits = { status: 'Unknown', reason: 'SecretNotFound', message: 'There is no secret yet.' };
  const trouble = { reason: 'TokenChanged', message: 'Another token.' };
  const status = (rest: object): Status => ({ ...waiting, conditions: [condition('Ready', rest)] });
  test.each([
    ['shows a Ready node', status({}), 'server vm-server: Ready'],
    [
      'shows why a node is not Ready',
      status(waits),
      'server vm-server: not Ready: SecretNotFound: There is no secret yet.',
    ],
    [
      'shows the failure of a Ready node',
      status(trouble),
      'server vm-server: Ready, but TokenChanged: Another token.',
    ],
    [
      'shows a node without role and name',
      { ...status(waits), role: undefined, node: undefined },
      'this VM: not Ready: SecretNotFound: There is no secret yet.',
    ],
    [
      'shows a status without conditions',
      { ...waiting, conditions: [] },
      'server vm-server: nothing known yet',
    ],
  ])('%s', (_, given, expected) => {
    expect(statusLine(given)).toBe(expected);
  });
});
