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

test('the answer is one line with all that the protocol asks for, and nothing else', () => {
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

describe('kubelet keeps it', () => {
  const usable = (3 * hour * 35) / 36;
  test.each([
    ['ten minutes at most', 0, 3 * hour, '600s'],
    ['ten minutes where no end is known', 100 * hour, undefined, '600s'],
    ['ten minutes while that is left', usable - 600_000, 3 * hour, '600s'],
    ['what is left, in whole seconds', usable - 599_999, 3 * hour, '599s'],
    ['at least a second', usable - 1_000, 3 * hour, '1s'],
    ['and no shorter: then it is not answered', usable - 999, 3 * hour, undefined],
    ['not at all once it is old', usable, 3 * hour, undefined],
    ['not at all after its end', 4 * hour, 3 * hour, undefined],
    ['no longer when the clock went back a little', -30_000, 60_000, '88s'],
    ['not at all when it went back an hour', -hour, 3 * hour, undefined],
  ])('%s', (_, after, life, duration) => {
    expect(durationAt(after, life)).toBe(duration);
  });
});

test.each(['other.azurecr.io', '__proto__', 'constructor'])(
  '%s, which is not known, has no answer',
  (name) => {
    expect(responseFor({ [server]: login(3 * hour) }, name, received)).toBe(undefined);
  },
);
