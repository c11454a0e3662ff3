/**
 * These tests find causes that can never match a line or that an earlier cause hides. Otherwise, such a cause would
 * show only on a broken node.
 */
import { describe, expect, test } from 'vitest';
import { clouds } from '../../../../../../../src/agent/clouds/index.ts';
import { journalCauses } from '../../../../../../../src/agent/parts/k3s/service/journal/causes.ts';
import { findCause } from '../../../../../../../src/agent/parts/k3s/service/journal/find-cause.ts';

const everyHints = Object.values(clouds).map(({ hints }) => hints);
const { hints } = clouds.static;

describe.each(journalCauses)('the cause $reason with $pattern', (cause) => {
  test('has a sample that is one whole line in the format of logrus, klog or the command line', () => {
    expect(cause.sample).toMatch(/^(time="\S+" level=\w+ msg="|[IWEF]\d{4} \d|Incorrect Usage: ).+$/);
  });

  test.each(cause.agentOnly ? (['agent'] as const) : (['agent', 'server'] as const))(
    'matches its sample on %s before any other entry',
    (command) => {
      const own = findCause(cause.sample, command, hints, [cause]);
      expect(own).toMatchObject({ reason: cause.reason });
      expect(findCause(cause.sample, command, hints)).toEqual(own);
    },
  );

  test('has advice in whole sentences for every cloud', () => {
    const { repair } = cause;
    for (const hints of everyHints) {
      expect(typeof repair === 'string' ? repair : repair(hints)).toMatch(/^[A-Z].*\.$/);
    }
  });
});

test('journalCauses has no two entries with the same reason and advice', () => {
  const said = journalCauses.map(({ reason, repair }) => `${reason}: ${repair}`);
  expect(new Set(said).size).toBe(said.length);
});
