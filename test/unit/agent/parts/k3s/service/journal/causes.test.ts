/** An entry that can never match, or that one above it hides, would be noticed on a broken node only. */
import { describe, expect, test } from 'vitest';
import { clouds } from '../../../../../../../src/agent/clouds/index.ts';
import { journalCauses } from '../../../../../../../src/agent/parts/k3s/service/journal/causes.ts';
import { findCause } from '../../../../../../../src/agent/parts/k3s/service/journal/find-cause.ts';

const everyHints = Object.values(clouds).map(({ hints }) => hints);
const { hints } = clouds.static;

describe.each(journalCauses)('$reason: $pattern', (cause) => {
  test('has as its sample one whole line, of logrus, of klog or of the command line', () => {
    expect(cause.sample).toMatch(/^(time="\S+" level=\w+ msg="|[IWEF]\d{4} \d|Incorrect Usage: ).+$/);
  });

  test.each(cause.agentOnly ? (['agent'] as const) : (['agent', 'server'] as const))(
    'finds its sample on %s, where no entry above it does',
    (command) => {
      const own = findCause(cause.sample, command, hints, [cause]);
      expect(own).toMatchObject({ reason: cause.reason });
      expect(findCause(cause.sample, command, hints)).toEqual(own);
    },
  );

  test('advises in whole sentences on every cloud', () => {
    const { repair } = cause;
    for (const hints of everyHints)
      expect(typeof repair === 'string' ? repair : repair(hints)).toMatch(/^[A-Z].*\.$/);
  });
});

test('no two entries say the same, so that each can be told from the others', () => {
  const said = journalCauses.map(({ reason, repair }) => `${reason}: ${repair}`);
  expect(new Set(said).size).toBe(said.length);
});
