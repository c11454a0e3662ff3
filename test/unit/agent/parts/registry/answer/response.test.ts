import { describe, expect, test } from 'vitest';
import type { StoredLogin } from '../../../../../../src/agent/parts/registry/answer/logins.ts';
import { responseFor } from '../../../../../../src/agent/parts/registry/answer/response.ts';

const hour = 3_600_000;
const received = Date.UTC(2026, 10, 20, 12);
const server = 'team.azurecr.io';
const names = { username: 'someone', password: 'canary "of" the registry' };

function login(life: number | undefined): StoredLogin {
  return { ...names, receivedAt: received, ...(life !== undefined && { until: received + life }) };
}

function durationAt(after: number, life: number | undefined): string | undefined {
  const answer = responseFor({ [server]: login(life) }, server, received + after);
  return answer && JSON.parse(answer).cacheDuration;
}

test('responseFor returns one line with exactly the fields of the protocol', () => {
  const answer = responseFor({ [server]: login(3 * hour) }, server, received) ?? '';
  expect(answer).not.toContain('\n');
  expect(JSON.parse(answer)).toEqual({
    kind: 'CredentialProviderResponse',
    apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
    cacheKeyType: 'Registry',
    cacheDuration: '600s',
    auth: { [server]: names },
  });
});

describe('responseFor', () => {
  const usable = (3 * hour * 35) / 36;
  test.each([
    ['lets kubelet keep the answer for ten minutes at most', 0, 3 * hour, '600s'],
    [
      'lets kubelet keep the answer for ten minutes if the login does not expire',
      100 * hour,
      undefined,
      '600s',
    ],
    [
      'lets kubelet keep the answer for ten minutes if the login is usable that long',
      usable - 600_000,
      3 * hour,
      '600s',
    ],
    [
      'lets kubelet keep the answer for the rest of the usable time, in whole seconds',
      usable - 599_999,
      3 * hour,
      '599s',
    ],
    ['lets kubelet keep the answer for a second if only a second is left', usable - 1_000, 3 * hour, '1s'],
    ['returns no answer if less than a second is left', usable - 999, 3 * hour, undefined],
    ['returns no answer once the login is too old', usable, 3 * hour, undefined],
    ['returns no answer after the expiry of the login', 4 * hour, 3 * hour, undefined],
    [
      'lets kubelet keep the answer while the login is usable, if the clock was set back by half a minute',
      -30_000,
      60_000,
      '88s',
    ],
    ['returns no answer after the clock was set back by an hour', -hour, 3 * hour, undefined],
  ])('%s', (_, after, life, duration) => {
    expect(durationAt(after, life)).toBe(duration);
  });
});

test.each(['other.azurecr.io', '__proto__', 'constructor'])(
  'responseFor returns no answer for %s, which is not in the store',
  (name) => {
    expect(responseFor({ [server]: login(3 * hour) }, name, received)).toBe(undefined);
  },
);
