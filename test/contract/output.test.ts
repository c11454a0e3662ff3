import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/agent/agent.ts';
import { subjects } from '../../src/agent/doctor/probe.ts';
import type { RecordedAction } from '../../src/agent/engine/recorded-action.ts';
import { inSync, type Outcome, type Resource } from '../../src/agent/engine/resource.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import {
  backupsJson,
  diagnosesJson,
  type OutputKind,
  settingsJson,
  statusOutput,
  turnsJson,
} from '../../src/agent/report/output.ts';
import { planJson } from '../../src/agent/report/plan-json.ts';
import { type Status, statusOf } from '../../src/agent/report/status.ts';
import { load } from '../../src/agent/settings/load.ts';
import { memoryHost } from '../lab/memory-host.ts';
import { noPrevious, previousText } from '../previous-release.ts';
import { aNode } from '../unit/agent/a-node.ts';
import { type Field, fieldsOf, lostFields, unlike } from './output-fields.ts';

const pagePath = 'docs/usage/output.md';
const page = fieldsOf(readFileSync(join(import.meta.dirname, '../..', pagePath), 'utf8'));

const resource: Resource = {
  id: 'Node/ready',
  condition: 'NodeReady',
  summary: 'wait for the node',
  check: async () => inSync(),
};
const changes = [
  { field: 'mode', observed: '0644', desired: '0600' },
  { field: 'file', observed: undefined, desired: undefined },
];
const trouble = {
  reason: 'SecretNotFound',
  message: 'It does not exist.',
  lookAgainAt: 0,
  blocks: true,
} as const;

type Of<Union, Key extends keyof Union> = { readonly [Name in Union[Key] & string]: unknown };

/**
 * Outcomes of every state, with and without their optional fields; this file does not compile if a state is missing.
 */
const outcomes = Object.entries({
  InSync: [{ version: 'v1.36.3+k3s1', message: 'Ready', until: 1_000 }, {}],
  Changed: [{ did: 'write it', changes }],
  Recorded: [{ changes }],
  Waiting: [trouble],
  Failed: [trouble],
  Blocked: [{ by: 'File//a' }],
} satisfies Of<Outcome, 'state'>).flatMap(([state, each]) =>
  each.map((fields) => ({ resource, state, ...fields }) as Outcome),
);

/** An action of every kind; this file does not compile if a kind is missing. */
const actions = Object.entries({
  write: { path: '/a', mode: 0o600, content: 'a\n', before: { mode: 0o644, content: 'b\n' } },
  link: { path: '/a', target: 'b', before: 'c' },
  rename: { from: '/a', to: '/b' },
  remove: { path: '/a' },
  copy: { from: '/a', to: '/b' },
  compress: { from: '/a', to: '/b' },
  decompress: { from: '/a', to: '/b' },
  copyFile: { from: '/a', to: '/b' },
  upload: { from: '/a', url: 'https://a.test' },
  fetch: { url: 'https://a.test', path: '/a' },
  run: { command: 'systemctl daemon-reload' },
  send: { method: 'POST', url: 'https://a.test', body: '{}' },
  download: { url: 'https://a.test', path: '/a', mode: 0o755, member: 'flux' },
  obtain: { what: 'a secret' },
} satisfies Of<RecordedAction, 'kind'>).map(([kind, fields]) => ({ kind, ...fields }) as RecordedAction);

const proven = { id: '20261130T120000Z-vm-1', madeAt: 1_000, bytes: 4_096, stored: 1_024 };

function status(backup?: Report['backup']): Status {
  const node = aNode('server');
  const conditions = (['True', 'False', 'Unknown'] as const).map((state) => ({
    ...({ type: 'Ready', status: state, reason: 'InSync', message: 'Ready' } as const),
    lastTransitionTime: '2026-01-01T00:00:00.000Z',
  }));
  const report: Report = {
    knowledge: { files: {}, identity: {}, tagged: {}, role: {}, node: { value: node } },
    outcomes,
    conditions,
    credentials: [
      { server: 'a.azurecr.io', receivedAt: 0, due: 1_000, ends: 3_000, proof: 'pulled' },
      { server: 'b.azurecr.io', receivedAt: 0 },
    ],
    certificates: [
      { name: 'agent/client-kubelet.crt', kind: 'leaf', from: 0, ends: 9_000, due: 6_000 },
      { name: 'agent/client-ca.crt', kind: 'ca', from: 0, ends: 90_000 },
      { name: 'port 6443', kind: 'serving', from: 0, ends: 9_000 },
    ],
    wake: { at: 60_000, because: 'look for drift' },
    ...(backup && { backup }),
  };
  return statusOf(report, { version: '1.2.3', pid: 42, now: 5_000 });
}

async function settings() {
  const file = 'node: { labels: [a=b] }\n';
  const host = memoryHost({ files: { '/etc/slipway/config.yaml': file } });
  return load(host, { paths: nodePaths('/') });
}

/** Samples of each kind of output; together, the samples of a kind contain all its optional fields. */
const samples: Readonly<Record<OutputKind, () => Promise<readonly string[]>>> = {
  Status: async () => [
    JSON.stringify(statusOutput(status(), true)),
    JSON.stringify(statusOutput(status({ to: '/mnt', due: 9_000, proven }), true)),
    JSON.stringify(statusOutput(status({ to: '/mnt', due: 9_000 }), true)),
    JSON.stringify(statusOutput({ ...status(), role: undefined, node: undefined, k3s: {} }, false)),
  ],
  Plan: async () => [
    planJson(
      outcomes.map((outcome) => ({ outcome, actions })),
      [
        { path: 'role', before: 'agent', after: 'server' },
        { path: 'cloud', before: undefined, after: undefined },
      ],
    ),
    planJson([{ outcome: { resource, state: 'InSync' }, actions: [] }]),
    planJson([{ outcome: { resource, state: 'Blocked', by: 'File//a' }, actions: [] }]),
  ],
  Diagnoses: async () => [
    diagnosesJson(
      subjects.flatMap((about) =>
        (['ok', 'warning', 'failure', 'skipped'] as const).map((level) => ({
          ...{ about, what: 'disk', level, message: 'full', milliseconds: 3 },
          ...(level === 'failure' && { reason: 'DiskFull', repair: 'make room' }),
        })),
      ),
    ),
  ],
  Settings: async () => [settingsJson(await settings())],
  Turns: async () => [
    turnsJson({
      holder: 'server-1',
      turns: (['mayBegin', 'inTurn', 'ended', 'waits', 'failed'] as const).map((state) => ({
        ...{ node: 'agent-1', wish: 'restart config', state, message: 'waits for server-1' },
      })),
      stopped: [{ wish: 'restart config', node: 'agent-1', message: 'it went back', hasTurn: true }],
    }),
    turnsJson({ turns: [], stopped: [] }),
  ],
  Backups: async () => [
    backupsJson('/mnt', [
      { id: proven.id, cluster: '0123456789ab', at: 1_000, bytes: 4_096, isProven: true },
    ]),
    backupsJson('/mnt', []),
  ],
};

describe('output for programs', () => {
  test('has exactly the kinds that output.md lists', () => {
    const [, kind] = page.get('') ?? [];
    expect(kind?.type).toBe(
      Object.keys(samples)
        .map((name) => `\`${name}\``)
        .join(', '),
    );
    expect([...page.keys()].filter((name) => name !== '')).toEqual(Object.keys(samples));
  });

  test.each(Object.entries(samples))(
    'has the fields that output.md lists, with their types: %s',
    async (kind, made) => {
      const outputs = (await made()).map((text) => JSON.parse(text));
      for (const output of outputs) {
        expect(Object.keys(output).slice(0, 2)).toEqual(['apiVersion', 'kind']);
      }
      const common = [
        { path: 'apiVersion', type: '`slipway.dev/v1`' },
        { path: 'kind', type: `\`${kind}\`` },
      ];
      expect(unlike([...common, ...(page.get(kind) ?? [])], outputs)).toEqual([]);
    },
  );

  test.skipIf(noPrevious)(
    `has every field that the previous release had${noPrevious ? `: skipped, since ${noPrevious}` : ''}`,
    () => {
      const lost = [...fieldsOf(previousText(pagePath))].flatMap(([kind, fields]) =>
        lostFields(fields, page.get(kind) ?? []).map((path) => `${kind} ${path}`),
      );
      expect(lost).toEqual([]);
    },
  );

  test.each([
    [
      'a missing field',
      { list: [{ at: '2026-01-01T00:00:00.000Z' }] },
      ['list[].name is missing', 'list[].name is never there'],
    ],
    ['a field of another type', { list: [{ at: 5, name: 'x' }] }, ['list[].at is 5']],
    [
      'an unlisted field',
      { list: [{ at: '2026-01-01T00:00:00.000Z', name: 'x', new: 1 }] },
      ['list[].new is not listed'],
    ],
    [
      'an unlisted value',
      { list: [{ at: '2026-01-01T00:00:00.000Z', name: 'z' }] },
      ['list[].name is never x', 'list[].name is z'],
    ],
  ])('is found to differ from output.md by %s', (_, output, expected) => {
    const fields = [
      { path: 'list[].at', type: 'time' },
      { path: 'list[].name', type: '`x`' },
    ];
    expect([...unlike(fields, [output])].sort()).toEqual(expected);
  });

  test.each<[string, Field, readonly string[]]>([
    ['an unchanged field', { path: 'a?.b', type: '`x`' }, []],
    ['a field that became mandatory', { path: 'a.b', type: '`x`' }, []],
    ['a field with more values', { path: 'a?.b', type: '`x`, `y`' }, []],
    ['a field that became optional', { path: 'a?.b?', type: '`x`' }, ['a?.b']],
    ['a field whose only value became any string', { path: 'a?.b', type: 'string' }, ['a?.b']],
    ['a removed field', { path: 'a?.c', type: '`x`' }, ['a?.b']],
  ])('counts a field as lost only if it was removed or changed incompatibly: %s', (_, later, expected) => {
    expect(lostFields([{ path: 'a?.b', type: '`x`' }], [later])).toEqual(expected);
  });
});
