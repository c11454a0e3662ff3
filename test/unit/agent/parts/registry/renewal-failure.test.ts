import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { renewalFailure } from '../../../../../src/agent/parts/registry/renewal-failure.ts';

const hour = 3_600_000;
const received = Date.UTC(2026, 0, 1);
const server = 'a.io';
const held = {
  username: 'user',
  password: 'hunter2',
  receivedAt: received,
  until: received + 3 * hour,
  due: received + 2 * hour,
};
const { until: _, ...endless } = held;
const away = new NodeError('RegistryUnavailable', 'a.io answers 503.');
const busy = (after: number) =>
  new NodeError('Throttled', 'b.io asks.', { endedBy: 'time', retry: { after } });
const walled = new NodeError('RegistryForbidden', 'c.io refuses.', { endedBy: 'person' });

describe('the failure of a renewal', () => {
  test.each([
    [
      'states how long pulls still work with a credential that is due',
      2.5 * hour,
      held,
      'The credential for a.io has been due since 2026-01-01T02:00:00.000Z; pulls work until 2026-01-01T03:00:00.000Z.',
    ],
    [
      'states when a credential has expired',
      3 * hour,
      held,
      'The credential for a.io has been due since 2026-01-01T02:00:00.000Z and ended at 2026-01-01T03:00:00.000Z; pulls of new images fail.',
    ],
    [
      'states that the expiry of a credential is unknown',
      30 * hour,
      endless,
      'The credential for a.io has been due since 2026-01-01T02:00:00.000Z; when it ends is not known.',
    ],
    [
      'states that the expiry is unknown after the clock was set back',
      -24 * hour,
      held,
      'The credential for a.io was received at 2026-01-01T00:00:00.000Z, by a clock that was set back since; when it ends is not known.',
    ],
    ['states no times for a refused credential', 2.5 * hour, { ...held, refused: true as const }, ''],
    ['states no times if no credential exists', 0, undefined, ''],
  ])('%s', (_, time, held, outlook) => {
    const { message } = renewalFailure([{ server, error: away, held }], received + time);
    expect(message).toBe(`a.io answers 503. ${outlook}`.trim());
  });

  test('contains a message that servers share only once, but the times of each server', () => {
    const others = { ...held, until: received + 6 * hour };
    const { message } = renewalFailure(
      [
        { server, error: away, held },
        { server: 'b.io', error: away, held: others },
      ],
      received + 4 * hour,
    );
    expect(message.match(/503/g)).toHaveLength(1);
    expect(message).toMatch(/for a\.io .* fail\. The credential for b\.io .* until 2026-01-01T06/);
  });
});

test.each([
  [
    'the renewal is retried soon if a registry is down, despite its Retry-After',
    [new NodeError('RegistryUnavailable', '', { endedBy: 'time', retry: { after: hour } })],
    'RegistryUnavailable',
    { endedBy: 'time', retry: {} },
  ],
  [
    'the renewal is retried after the Retry-After of a registry that throttles',
    [busy(30_000)],
    'Throttled',
    { endedBy: 'time', retry: { after: 30_000 } },
  ],
  [
    'the renewal is retried slowly if only a person can end the failure',
    [walled],
    'RegistryForbidden',
    { endedBy: 'person', retry: {} },
  ],
  [
    'the renewal is retried soon if any of several failures may end soon',
    [walled, busy(600_000), away],
    'RegistryUnavailable',
    { endedBy: 'time', retry: {} },
  ],
  [
    'the renewal is retried after the shortest of several Retry-Afters',
    [walled, busy(600_000), busy(5_000)],
    'Throttled',
    { endedBy: 'time', retry: { after: 5_000 } },
  ],
] as const)('%s', (_, errors, reason, expected) => {
  const failure = renewalFailure(
    errors.map((error) => ({ server, error, held: undefined })),
    received,
  );
  expect(failure).toMatchObject({ reason, ...expected, blocks: true });
});
