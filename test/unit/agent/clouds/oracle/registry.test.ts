import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { registryToken } from '../../../../../src/agent/clouds/oracle/registry.ts';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { systemError } from '../../../../../src/agent/host/files/file-errors.ts';
import { datedToken } from '../../../../lab/fake-cloud.ts';
import { memoryHost, type ResponseAnswer } from '../../../../lab/memory-host.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
let forgotten = 0;
const principal = {
  key: async () => ({ keyId: 'ST$token', privateKey }),
  forget: () => {
    forgotten += 1;
  },
};

function ask(answer: ResponseAnswer) {
  const host = memoryHost().onRequest({ url: 'https://fra.ocir.io/20180419/docker/token' }, answer);
  return { host, password: registryToken({ host, principal }, 'fra.ocir.io') };
}

test.each([
  [
    'expires after the life that the answer states',
    { token: datedToken(1_000_000, 7_200_000), expires_in: 3600 },
    3_600_000,
  ],
  [
    'expires with the token if the answer states no life',
    { token: datedToken(1_000_000, 7_200_000) },
    7_200_000,
  ],
  [
    'expires with the token if the answer states an invalid life',
    { token: datedToken(1_000_000, 7_200_000), expires_in: -1 },
    7_200_000,
  ],
  ['never expires if neither the answer nor the token has dates', { token: 'opaque' }, undefined],
])('a password of the registry of Oracle Cloud %s', async (_what, body, life) => {
  const { host, password } = ask({ body: JSON.stringify(body) });
  const { until } = await password;
  expect(until).toBe(life === undefined ? undefined : host.now() + life);
});

test.each([
  [
    'RegistryNotFound for an unknown host name',
    new NodeError('Unreachable', 'no', { cause: systemError('ENOTFOUND') }),
    'RegistryNotFound',
  ],
  ['RegistryUnavailable for a failed connection', new NodeError('Unreachable', 'no'), 'RegistryUnavailable'],
  [
    'RegistryUnauthorized for 401',
    { status: 401, body: '{"code":"NotAuthenticated","message":"no"}' },
    'RegistryUnauthorized',
  ],
  ['RegistryForbidden for 403', { status: 403 }, 'RegistryForbidden'],
  ['RegistryUnauthorized for 404', { status: 404 }, 'RegistryUnauthorized'],
  ['Throttled for 429', { status: 429 }, 'Throttled'],
  ['RegistryUnavailable for 502', { status: 502 }, 'RegistryUnavailable'],
  [
    'UnexpectedAnswer for a redirect',
    { status: 302, headers: { location: 'https://evil.example' } },
    'UnexpectedAnswer',
  ],
  ['UnexpectedAnswer for an answer without a token', { body: '{}' }, 'UnexpectedAnswer'],
] satisfies [string, ResponseAnswer, string][])(
  'registryToken of Oracle Cloud throws %s',
  async (_what, answer, reason) => {
    await expect(ask(answer).password).rejects.toMatchObject({ reason });
  },
);

test("registryToken of Oracle Cloud discards the instance principal's token after the registry refuses it", async () => {
  forgotten = 0;
  await ask({ status: 401 }).password.catch(() => {});
  expect(forgotten).toBe(1);
});
