import { describe, expect, test } from 'vitest';
import type { Report } from '../../../../../src/agent/agent.ts';
import type { CredentialStatus } from '../../../../../src/agent/parts/registry/credential-status.ts';
import { aBackup, aReport, condition, outcome, samples, someMetrics } from './a-report.ts';

/** Returns the samples after these passes, which begin a minute apart and take a second each. */
async function told(passes: readonly Report[], ...names: readonly string[]): Promise<readonly string[]> {
  const metrics = someMetrics();
  for (const [at, report] of passes.entries()) {
    metrics.observe({ report, from: at * 60_000, to: at * 60_000 + 1_000 });
  }
  return samples(metrics, ...names);
}

describe('the metrics of conditions', () => {
  const names = ['ready', 'condition', 'condition_reason', 'condition_last_transition_timestamp_seconds'];

  test('have a series for each status, the reason, and the time of the last change', async () => {
    const report = aReport({
      conditions: [condition('Ready'), condition('GitOps', { status: 'Unknown', reason: 'SourceNotReady' })],
    });
    expect(await told([report], ...names)).toEqual([
      'ready 1',
      'condition{condition="Ready",status="true"} 1',
      'condition{condition="Ready",status="false"} 0',
      'condition{condition="Ready",status="unknown"} 0',
      'condition{condition="GitOps",status="true"} 0',
      'condition{condition="GitOps",status="false"} 0',
      'condition{condition="GitOps",status="unknown"} 1',
      'condition_reason{condition="Ready",reason="InSync"} 1',
      'condition_reason{condition="GitOps",reason="SourceNotReady"} 1',
      'condition_last_transition_timestamp_seconds{condition="Ready"} 60',
      'condition_last_transition_timestamp_seconds{condition="GitOps"} 60',
    ]);
  });

  test('have no series for earlier conditions and reasons', async () => {
    const before = aReport({
      conditions: [condition('Ready', { status: 'False', reason: 'DiskFull' }), condition('Pulls')],
    });
    const ready = condition('Ready', { status: 'Unknown', reason: 'Blocked' });
    const now = aReport({ conditions: [ready, condition('Settings')] });
    const lines = await told([before, now], ...names);
    expect(lines.filter((line) => /DiskFull|Pulls/.test(line))).toEqual([]);
    expect(lines).toContain('ready 0');
    expect(lines).toContain('condition_reason{condition="Ready",reason="Blocked"} 1');
  });
});

test('the metrics of certificates have the seconds until each ends, negative after its end', async () => {
  const certificates = [
    { name: 'agent/client-kubelet.crt', kind: 'leaf', from: 0, ends: 11_000, due: 6_000 },
    { name: 'agent/client-ca.crt', kind: 'ca', from: 0, ends: 500 },
  ] as const;
  const gone = [{ name: 'port 6443', kind: 'serving', from: 0, ends: 9_000 }] as const;
  const passes = [aReport({ certificates: gone }), aReport({ certificates })];
  expect(await told(passes.slice(1), 'certificate_remaining_seconds')).toEqual([
    'certificate_remaining_seconds{certificate="agent/client-kubelet.crt",kind="leaf"} 10',
    'certificate_remaining_seconds{certificate="agent/client-ca.crt",kind="ca"} -0.5',
  ]);
  expect((await told(passes, 'certificate_remaining_seconds')).join()).not.toContain('6443');
});

test('the metrics of backups have samples only on a node that makes backups', async () => {
  const names = ['proven_timestamp_seconds', 'bytes', 'stored_bytes', 'due_timestamp_seconds'];
  const all = names.map((name) => `backup_${name}`);
  const { proven: _, ...none } = aBackup;
  expect(await told([aReport({ backup: aBackup })], ...all)).toEqual([
    'backup_proven_timestamp_seconds{to="/mnt/backup"} 1',
    'backup_bytes{to="/mnt/backup"} 4096',
    'backup_stored_bytes{to="/mnt/backup"} 1024',
    'backup_due_timestamp_seconds{to="/mnt/backup"} 9',
  ]);
  expect(await told([aReport({ backup: aBackup }), aReport({ backup: none })], ...all)).toEqual([
    'backup_due_timestamp_seconds{to="/mnt/backup"} 9',
  ]);
  expect(await told([aReport({ backup: aBackup }), aReport()], ...all)).toEqual([]);
});

test('the metrics of copies of the datastore have samples only on a node that makes copies', async () => {
  const names = ['datastore_copies', 'datastore_copy_timestamp_seconds', 'datastore_copy_bytes'];
  const made = [1_000, 2_000].map((madeAt) => ({ madeAt, bytes: 4_096 + madeAt, reason: 'upgrade' }));
  const copies = { datastore: 'etcd', made } as const;
  expect(await told([aReport({ copies })], ...names)).toEqual([
    'datastore_copies{datastore="etcd"} 2',
    'datastore_copy_timestamp_seconds{datastore="etcd"} 2',
    'datastore_copy_bytes{datastore="etcd"} 6096',
  ]);
  expect(await told([aReport({ copies: { datastore: 'sqlite', made: [] } })], ...names)).toEqual([
    'datastore_copies{datastore="sqlite"} 0',
  ]);
  expect(await told([aReport({ copies }), aReport()], ...names)).toEqual([]);
});

describe('the metrics of passes', () => {
  test('contain the number, durations and times of passes', async () => {
    const lines = await told(
      [aReport(), aReport()],
      ...['passes_total', 'last_pass_timestamp_seconds', 'next_pass_timestamp_seconds'],
      ...['pass_duration_seconds_sum', 'pass_duration_seconds_count'],
    );
    expect(lines).toEqual([
      'passes_total 2',
      'pass_duration_seconds_sum 2',
      'pass_duration_seconds_count 2',
      'last_pass_timestamp_seconds 61',
      'next_pass_timestamp_seconds 300',
    ]);
  });

  test('contain a duration of zero if the clock was set back during a pass', async () => {
    const metrics = someMetrics();
    metrics.observe({ report: aReport(), from: 5_000, to: 1_000 });
    expect(await samples(metrics, 'pass_duration_seconds_sum')).toEqual(['pass_duration_seconds_sum 0']);
  });

  test('contain the number of changes of each kind, 0 for a kind without changes, and the number of K3s starts', async () => {
    const first = aReport({
      outcomes: [
        outcome('File//etc/a', 'Changed'),
        outcome('File//etc/b', 'Changed'),
        outcome('Memory', 'InSync'),
      ],
    });
    const second = aReport({
      outcomes: [outcome('File//etc/a', 'InSync'), outcome('Service/k3s', 'Changed')],
    });
    const third = aReport({ outcomes: [outcome('Service/k3s', 'Waiting', 0)] });
    expect(await told([first, second, third], 'changes_total', 'k3s_starts_total')).toEqual([
      'changes_total{kind="File"} 2',
      'changes_total{kind="Memory"} 0',
      'changes_total{kind="Service"} 1',
      'k3s_starts_total 1',
    ]);
  });

  test('contain the number of waiting and failed resources', async () => {
    const [first, second] = [outcome('File//a', 'Failed', 5), outcome('File//b', 'Waiting', 5)];
    const settled = aReport({ outcomes: [outcome('File//a', 'InSync'), second] });
    expect(await told([aReport({ outcomes: [first, second] })], 'resources_unsettled')).toEqual([
      'resources_unsettled{condition="System",reason="Unreachable"} 2',
    ]);
    expect(await told([aReport({ outcomes: [first, second] }), settled], 'resources_unsettled')).toEqual([
      'resources_unsettled{condition="System",reason="Unreachable"} 1',
    ]);
  });
});

describe('the metrics of registry credentials', () => {
  const node = { settings: { registries: { servers: ['a.io', 'b.io'] } } };
  const id = 'Credential/registries';
  const held = (server: string, receivedAt: number, due = receivedAt + 60_000): CredentialStatus => ({
    ...{ server, receivedAt, due, ends: receivedAt + 90_000 },
  });

  test('contain the times by server, without an expiry if it is unknown', async () => {
    const credentials = [held('a.io', 1_500), { server: 'b.io', receivedAt: 2_000 }];
    const lines = await told(
      [aReport({ credentials: [held('gone.io', 0)] }, node), aReport({ credentials }, node)],
      ...['received', 'renewal', 'expiry'].map((time) => `registry_credential_${time}_timestamp_seconds`),
    );
    expect(lines).toEqual([
      'registry_credential_received_timestamp_seconds{server="a.io"} 1.5',
      'registry_credential_received_timestamp_seconds{server="b.io"} 2',
      'registry_credential_renewal_timestamp_seconds{server="a.io"} 61.5',
      'registry_credential_expiry_timestamp_seconds{server="a.io"} 91.5',
    ]);
  });

  const rotations = 'registry_rotations_total';
  const failures = 'registry_rotation_failures_total';
  const failed = (lookAgainAt: number) => [outcome(id, 'Waiting', lookAgainAt)];
  /** The passes of each case begin at 0 ms, 60,000 ms and so on. */
  test.each<[string, readonly Partial<Report>[], { a: [number, number]; b: [number, number] }]>([
    ['no credential and no attempt', [{}], { a: [0, 0], b: [0, 0] }],
    [
      'two credentials received in the first pass, and one of them renewed later',
      [
        { credentials: [held('a.io', 500), held('b.io', 600)] },
        { credentials: [held('a.io', 60_500), held('b.io', 600)] },
      ],
      { a: [2, 0], b: [1, 0] },
    ],
    [
      'credentials received by an earlier process',
      [{ credentials: [held('a.io', -1), held('b.io', -1)] }],
      { a: [0, 0], b: [0, 0] },
    ],
    [
      'a credential that is unreadable in one pass and unchanged in the next',
      [{ credentials: [held('a.io', 1)] }, { credentials: [] }, { credentials: [held('a.io', 1)] }],
      { a: [1, 0], b: [0, 0] },
    ],
    [
      'an attempt that fails for both servers and is retried after a pass without an attempt',
      [{ outcomes: failed(70_000) }, { outcomes: failed(70_000) }, { outcomes: failed(900_000) }],
      { a: [0, 2], b: [0, 2] },
    ],
    [
      'an attempt that fails for one server and succeeds for the other',
      [
        { credentials: [held('a.io', -1, 60_000), held('b.io', -1, 60_000)] },
        { credentials: [held('a.io', 60_500), held('b.io', -1, 60_000)], outcomes: failed(90_000) },
      ],
      { a: [1, 0], b: [0, 1] },
    ],
    [
      'a failure of another resource',
      [{ outcomes: [outcome('Credential/join-token', 'Failed', 5)] }],
      { a: [0, 0], b: [0, 0] },
    ],
  ])('count rotations and failures after %s', async (_, passes, { a, b }) => {
    const reports = passes.map((part) => aReport(part, node));
    expect(await told(reports, rotations, failures)).toEqual([
      `${rotations}{server="a.io"} ${a[0]}`,
      `${rotations}{server="b.io"} ${b[0]}`,
      `${failures}{server="a.io"} ${a[1]}`,
      `${failures}{server="b.io"} ${b[1]}`,
    ]);
  });
});

test('the rotations of a registry credential are not counted twice after the clock was set back', async () => {
  const metrics = someMetrics();
  const report = aReport(
    { credentials: [{ server: 'a.io', receivedAt: 30_500 }] },
    { settings: { registries: { servers: ['a.io'] } } },
  );
  for (const from of [30_000, 10_000]) {
    metrics.observe({ report, from, to: from + 1_000 });
  }
  expect(await samples(metrics, 'registry_rotations_total')).toEqual([
    'registry_rotations_total{server="a.io"} 1',
  ]);
});

describe('the metrics of the process', () => {
  const names = ['build_info', 'process_start_time_seconds', 'process_resident_memory_bytes'];

  test('contain the version and the current usage of the process', async () => {
    let cpuSeconds = 1.5;
    const metrics = someMetrics({ usage: () => ({ residentBytes: 1024, cpuSeconds }) });
    expect(await samples(metrics, ...names)).toEqual([
      'build_info{version="1.2.3",node="v24.0.0"} 1',
      'process_start_time_seconds 5',
      'process_resident_memory_bytes 1024',
    ]);
    for (const used of [1.5, 2, 2]) {
      cpuSeconds = used;
      expect(await samples(metrics, 'process_cpu_seconds_total')).toEqual([
        `process_cpu_seconds_total ${used}`,
      ]);
    }
  });

  test('contain the node once it is known', async () => {
    const unknown = { ...aReport(), knowledge: { ...aReport().knowledge, node: {} } };
    expect(await told([unknown], 'node_info')).toEqual([]);
    expect(await told([aReport({}, { version: 'v1.0.0+k3s1' }), aReport()], 'node_info')).toEqual([
      'node_info{name="vm-1",role="server",k3s="v1.36.3+k3s1"} 1',
    ]);
  });

  test('are separate for each call of createMetrics', async () => {
    const [one, other] = [someMetrics(), someMetrics({ version: 'other' })];
    expect(await samples(one, 'build_info')).not.toEqual(await samples(other, 'build_info'));
  });
});

test('the values of metric labels are escaped', async () => {
  expect(await samples(someMetrics({ version: 'a"b\\c\nd' }), 'build_info')).toEqual([
    'build_info{version="a\\"b\\\\c\\nd",node="v24.0.0"} 1',
  ]);
});

test('the metrics contain no messages, which may quote other programs', async () => {
  const message = 'quoted: hunter2';
  const failed = outcome('Credential/registries', 'Failed', 5);
  const changed = { ...outcome('File//etc/a', 'Changed'), did: message };
  const metrics = someMetrics();
  const report = aReport(
    {
      conditions: [condition('Ready', { message, status: 'False', reason: 'PullDenied' })],
      outcomes: [{ ...failed, message }, changed] as Report['outcomes'],
      credentials: [{ server: 'a.io', receivedAt: 0, proof: message }],
      wake: { at: 0, because: message },
    },
    { settings: { registries: { servers: ['a.io'] } } },
  );
  metrics.observe({ report, from: 0, to: 0 });
  const text = await metrics.text();
  expect(text).toContain('slipway_condition_reason{condition="Ready",reason="PullDenied"} 1');
  expect(text).not.toContain('hunter2');
});

test('the metrics have the text format of Prometheus', async () => {
  const metrics = someMetrics();
  metrics.observe({ report: aReport({ conditions: [condition('Ready')] }), from: 0, to: 0 });
  expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  const label = '[a-z0-9_]+="(?:[^"\\\\\\n]|\\\\.)*"';
  const sample = new RegExp(`^slipway_[a-z0-9_]+(?:\\{${label}(?:,${label})*\\})? [-+0-9.eInf]+$`);
  const lines = (await metrics.text()).split('\n');
  expect(
    lines.filter((line) => !/^(?:# (?:HELP|TYPE) slipway_.+)?$/.test(line) && !sample.test(line)),
  ).toEqual([]);
});
