import { describe, expect, test } from 'vitest';
import type { Report } from '../../../../src/agent/agent.ts';
import { inSync, type Outcome } from '../../../../src/agent/engine/resource.ts';
import { readStatus, type Status, statusOf, writeStatus } from '../../../../src/agent/report/status.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const ready = {
  ...{ type: 'Ready', status: 'True', reason: 'InSync', message: '' },
  lastTransitionTime: '2026-01-01T00:00:00.000Z',
};

function status(...conditions: Status['conditions']): Status {
  return {
    version: '1.2.3',
    pid: 42,
    role: 'server',
    node: 'node-1',
    updated: '2026-01-01T01:59:30.000Z',
    nextPass: { at: '2026-01-01T02:00:10.000Z', because: 'renew Credential/registries' },
    k3s: {},
    conditions,
    credentials: [],
    certificates: [],
    resources: [],
    changes: [],
  };
}

test('a status file can be read by all users, and is read back unchanged', async () => {
  const host = memoryHost();
  await writeStatus(host, '/run/slipway/status.json', status(ready));
  expect(await readStatus(host, '/run/slipway/status.json')).toEqual(status(ready));
  expect(host.files.stat('/run/slipway/status.json')?.mode).toBe(0o644);
  expect(host.files.text('/run/slipway/status.json')).toMatch(/^\{\n {2}"format": 1,\n/);
  expect(await readStatus(host, '/nowhere')).toBeUndefined();
});

test.each([
  ['a truncated file', '{"version": '],
  ['a list', '[]'],
  ['null', 'null'],
  ['a status without a next pass', JSON.stringify({ ...status(), nextPass: undefined })],
  ['a condition without a reason', JSON.stringify({ ...status(), conditions: [{ type: 'Ready' }] })],
  ['a k3s field that is null', JSON.stringify({ ...status(), k3s: null })],
  ['changes that are not a list', JSON.stringify({ ...status(), changes: {} })],
  ['a node of the wrong type', JSON.stringify({ ...status(), format: 2, node: { name: 'a' } })],
  ['a K3s release of the wrong type', JSON.stringify({ ...status(), format: 2, k3s: { running: [] } })],
  [
    'a time of the wrong type',
    JSON.stringify({ ...status(), format: 2, resources: [{ id: 'a', state: 'Waiting', until: 5 }] }),
  ],
  [
    'a proof of the wrong type',
    JSON.stringify({ ...status(), format: 2, credentials: [{ server: 'a', received: 'b', proof: {} }] }),
  ],
])('readStatus returns undefined for a damaged status: %s', async (_, content) => {
  const host = memoryHost();
  host.files.write('/status.json', content);
  expect(await readStatus(host, '/status.json')).toBeUndefined();
});

describe('the status of a pass', () => {
  const changed = (id: string): Outcome => ({
    ...{ resource: { id, condition: 'System', summary: '', check: async () => inSync() } },
    ...{ state: 'Changed', did: `make ${id}`, changes: [] },
  });
  const report = (...outcomes: readonly Outcome[]): Report => ({
    knowledge: { files: {}, identity: {}, tagged: {}, role: {}, node: {} },
    outcomes,
    conditions: [],
    credentials: [{ server: 'a.azurecr.io', receivedAt: 0, due: 1_000, ends: 3_000, proof: 'pulled' }],
    certificates: [
      { name: 'agent/client-kubelet.crt', kind: 'leaf', from: 0, ends: 9_000, due: 6_000 },
      { name: 'agent/client-ca.crt', kind: 'ca', from: 0, ends: 90_000 },
    ],
    wake: { at: 60_000, because: 'look for drift' },
  });
  const publisher = { version: '1.2.3', pid: 42, now: 5_000 };

  test('contains the last ten changes of all passes, the latest first', () => {
    let before: Status['changes'] = [];
    for (const now of [1_000, 2_000, 3_000, 4_000]) {
      before = statusOf(report(changed('a'), changed('b'), changed('c')), {
        ...publisher,
        now,
        before,
      }).changes;
    }
    expect(before).toHaveLength(10);
    expect(before.map(({ resource }) => resource).join('')).toBe('cbacbacbac');
    expect(before[0]).toEqual({ at: '1970-01-01T00:00:04.000Z', resource: 'c', did: 'make c' });
    expect(before.at(-1)?.at).toBe('1970-01-01T00:00:01.000Z');
  });

  test('contains the times of credentials, and the release that kubelet reports', () => {
    const nodeReady = {
      resource: { id: 'Node/ready', condition: 'NodeReady', summary: '', check: async () => inSync() },
      ...{ state: 'InSync', version: 'v1.36.3+k3s1' },
    } satisfies Outcome;
    const { credentials, k3s } = statusOf(report(nodeReady), publisher);
    expect(credentials).toEqual([
      {
        server: 'a.azurecr.io',
        received: '1970-01-01T00:00:00.000Z',
        renewal: '1970-01-01T00:00:01.000Z',
        ends: '1970-01-01T00:00:03.000Z',
        proof: 'pulled',
      },
    ]);
    expect(k3s).toEqual({ running: 'v1.36.3+k3s1' });
  });

  test('contains the certificates, with the renewal of a leaf', () => {
    const from = '1970-01-01T00:00:00.000Z';
    expect(statusOf(report(), publisher).certificates).toEqual([
      {
        ...{ name: 'agent/client-kubelet.crt', kind: 'leaf', from },
        ...{ ends: '1970-01-01T00:00:09.000Z', renewal: '1970-01-01T00:00:06.000Z' },
      },
      { name: 'agent/client-ca.crt', kind: 'ca', from, ends: '1970-01-01T00:01:30.000Z' },
    ]);
  });

  test('describes a resource as the plan does, with the time of its next check', () => {
    const { resource } = changed('a');
    const failed: Outcome = {
      ...{ resource, state: 'Failed', reason: 'Unreachable', message: 'no route' },
      ...{ lookAgainAt: 2_000, blocks: false },
    };
    expect(statusOf(report(changed('a'), failed), publisher).resources).toEqual([
      {
        ...{ id: 'a', condition: 'System', state: 'Changed' },
        ...{ reason: 'Changed', message: 'make a', changes: [] },
      },
      {
        ...{ id: 'a', condition: 'System', state: 'Failed', reason: 'Unreachable', message: 'no route' },
        ...{ blocks: false, until: '1970-01-01T00:00:02.000Z' },
      },
    ]);
  });

  test('can be read if a newer Slipway wrote it, despite unknown fields', async () => {
    const host = memoryHost();
    const newer = {
      ...{ ...status({ ...ready, reason: 'Tired', since: 'noon' }), mood: 'fine' },
      resources: [{ id: 'a', condition: 'System', state: 'Resting', until: '2026-01-01T02:00:10.000Z' }],
    };
    host.files.write('/status.json', JSON.stringify(newer));
    expect(await readStatus(host, '/status.json')).toEqual(newer);
  });

  test('can be read if an older Slipway wrote it', async () => {
    const host = memoryHost();
    const absent = { credentials: undefined, certificates: undefined, changes: undefined };
    const older = { ...status(), k3s: undefined, ...absent };
    host.files.write('/status.json', JSON.stringify(older));
    expect(await readStatus(host, '/status.json')).toMatchObject({
      ...{ k3s: {}, credentials: [], certificates: [], changes: [] },
    });
  });
});
