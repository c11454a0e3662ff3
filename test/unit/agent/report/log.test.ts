import { expect, test } from 'vitest';
import type { Event } from '../../../../src/agent/engine/events.ts';
import { inSync, type Resource } from '../../../../src/agent/engine/resource.ts';
import { lineOf, logEvents } from '../../../../src/agent/report/log.ts';

const resource: Resource = {
  id: 'File/x',
  condition: 'System',
  summary: 'write x',
  check: async () => inSync(),
};
const condition = {
  type: 'Role',
  status: 'True',
  reason: 'InSync',
  message: 'server',
  lastTransitionTime: '',
} as const;

test.each([
  [{ type: 'Started', version: '1.0.0', root: '/' }, 'info', 'slipway started'],
  [{ type: 'Warned', message: 'careful' }, 'warn', 'warning'],
  [{ type: 'ConditionChanged', condition }, 'info', 'condition changed'],
  [{ type: 'ConditionChanged', condition: { ...condition, status: 'False' } }, 'error', 'condition changed'],
  [
    { type: 'Settled', outcome: { resource, state: 'Changed', did: 'write x', changes: [] } },
    'info',
    'changed',
  ],
  [{ type: 'Settled', outcome: { resource, state: 'InSync' } }, 'debug', 'checked'],
  [{ type: 'Sleeping', until: 0, because: 'drift' }, 'debug', 'sleeping'],
  [{ type: 'Woken', by: 'SIGHUP' }, 'info', 'woken'],
  [{ type: 'Stopped', by: 'SIGTERM' }, 'info', 'slipway stopped; the node stays as it is'],
] as const satisfies readonly (readonly [Event, string, string])[])(
  'lineOf returns the level and the message of an event: %j',
  (event, level, message) => {
    expect(lineOf(event)).toMatchObject({ level, message });
  },
);

test('a log line for a sink that adds the time is JSON with the name of its level, but without the time and the process', () => {
  const lines: string[] = [];
  const log = logEvents({ hasTime: true, write: (line) => lines.push(line) });
  log.emit({ type: 'Woken', by: 'SIGHUP' });
  log.emit({ type: 'Sleeping', until: 0, because: 'drift' });
  log.setLevel('debug');
  log.emit({ type: 'Sleeping', until: 0, because: 'drift' });
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { level: 'info', msg: 'woken', by: 'SIGHUP' },
    { level: 'debug', msg: 'sleeping', until: '1970-01-01T00:00:00.000Z', because: 'drift' },
  ]);
});
