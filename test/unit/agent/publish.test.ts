import { describe, expect, test } from 'vitest';
import type { Condition } from '../../../src/agent/core/conditions.ts';
import { readStatus, type Status, statusLine, writeStatus } from '../../../src/agent/publish.ts';
import { age, statusText } from '../../../src/agent/status-text.ts';
import { memoryHost } from '../../lab/memory-host.ts';

const now = Date.parse('2026-01-01T02:00:00Z');

function condition(type: Condition['type'], rest: Partial<Condition> = {}): Condition {
  return {
    type,
    status: 'True',
    reason: 'InSync',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00.000Z',
    ...rest,
  };
}

const waits = { status: 'Unknown', reason: 'SecretNotFound', message: 'There is no secret yet.' } as const;

function status(...conditions: readonly Condition[]): Status {
  return {
    version: '1.2.3',
    pid: 42,
    role: 'server',
    node: 'node-1',
    updated: '2026-01-01T01:59:30.000Z',
    nextPass: { at: '2026-01-01T02:00:10.000Z', because: 'renew Credential/registries' },
    conditions,
    resources: [],
  };
}

describe('the line of systemctl status', () => {
  test.each([
    [status(condition('Ready')), 'server node-1: Ready'],
    [status(condition('Ready', waits)), 'server node-1: SecretNotFound: There is no secret yet.'],
    [
      status(condition('Ready', { reason: 'TokenChanged', message: 'Another token.' })),
      'server node-1: Ready, but TokenChanged: Another token.',
    ],
    [
      { ...status(condition('Ready', waits)), role: undefined, node: undefined },
      'this VM: SecretNotFound: There is no secret yet.',
    ],
  ])('%#', (given, expected) => {
    expect(statusLine(given)).toBe(expected);
  });
});

test('the table', () => {
  expect(
    statusText(status(condition('Ready', waits), condition('Role')), true, now),
  ).toBe(`node-1  server  slipway 1.2.3
next pass in 10s (renew Credential/registries)

CONDITION  STATUS   AGE   REASON          MESSAGE
Ready      Unknown  2h0m  SecretNotFound  There is no secret yet.
Role       True     2h0m  InSync
`);
});

test('after the daemon stopped the table says how old it is', () => {
  expect(statusText(status(), false, now)).toContain('the daemon is not running; this is from 30s ago');
});

test.each([
  [0, '0s'],
  [59_400, '59s'],
  [61_000, '1m1s'],
  [3_600_000, '1h0m'],
  [90_000_000, '1d1h'],
])('%i ms is %s', (milliseconds, text) => {
  expect(age(milliseconds)).toBe(text);
});

test('what is written can be read, by everybody; a damaged file is none', async () => {
  const host = memoryHost();
  await writeStatus(host, '/run/slipway/status.json', status(condition('Ready')));
  expect(await readStatus(host, '/run/slipway/status.json')).toEqual(status(condition('Ready')));
  expect(host.files.stat('/run/slipway/status.json')?.mode).toBe(0o644);
  host.files.write('/run/slipway/status.json', '{"version": ');
  expect(await readStatus(host, '/run/slipway/status.json')).toBeUndefined();
  expect(await readStatus(host, '/nowhere')).toBeUndefined();
});
