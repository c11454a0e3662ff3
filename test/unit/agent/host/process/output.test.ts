import { fstatSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type LogTarget, logDestination, logTarget } from '../../../../../src/agent/host/process/output.ts';

const { dev, ino } = fstatSync(1);

test.each([
  [`${dev}:${ino}`, false, 'journal'],
  [`${dev}:${ino + 1}`, false, 'json'],
  [undefined, false, 'json'],
  [undefined, true, 'terminal'],
] as const)('logTarget with JOURNAL_STREAM %s and isTerminal %s returns %s', (stream, isTerminal, target) => {
  expect(logTarget({ JOURNAL_STREAM: stream }, isTerminal)).toBe(target);
});

async function printed(target: LogTarget, line: object) {
  const texts: string[] = [];
  const sink = await logDestination(target, (text) => void texts.push(text));
  sink.write(`${JSON.stringify(line)}\n`);
  return { text: texts.join(''), hasTime: sink.hasTime };
}

test('logDestination writes unchanged lines to a file or a pipe', async () => {
  const line = { level: 'warn', time: '2026-03-01T00:00:00Z', msg: 'woken', by: 'schedule' };
  expect(await printed('json', line)).toEqual({ text: `${JSON.stringify(line)}\n`, hasTime: false });
});

test.each([
  ['fatal', 2],
  ['error', 3],
  ['warn', 4],
  ['info', 6],
  ['debug', 7],
  ['trace', 7],
  ['unheard-of', 6],
])('logDestination writes level %s to the journal with priority %i and no time', async (level, priority) => {
  expect(await printed('journal', { level, msg: 'woken', by: 'schedule' })).toEqual({
    text: `<${priority}>woken {"by":"schedule"}\n`,
    hasTime: true,
  });
});

test('logDestination writes readable text on one line to a terminal', async () => {
  const { text } = await printed('terminal', { level: 'info', msg: 'woken', by: 'schedule' });
  expect(text).toMatch(/woken.*schedule.*\n$/);
  expect(text.split('\n')).toHaveLength(2);
});
