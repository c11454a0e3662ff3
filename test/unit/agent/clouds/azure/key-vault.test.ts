import { describe, expect, test } from 'vitest';
import { vaultSecret } from '../../../../../src/agent/clouds/azure/key-vault.ts';
import { NodeError, Recorded } from '../../../../../src/agent/engine/errors.ts';
import { systemError } from '../../../../../src/agent/host/files/file-errors.ts';
import { memoryHost, type ResponseAnswer } from '../../../../lab/memory-host.ts';

const url = 'https://team.vault.azure.net';

const challenge = {
  status: 401,
  headers: {
    'www-authenticate': 'Bearer authorization="https://login.example/t", resource="https://vault.azure.net"',
  },
};

function read(
  answer: ResponseAnswer,
  getToken = async () => ({ token: 'canary', expiresOnTimestamp: 9e15 }),
) {
  const host = memoryHost().onRequest({ url: /team\.vault/ }, answer);
  return vaultSecret({ host, credential: { getToken }, imdsEndpoint: 'http://imds', url }, 'k3s-token');
}

describe('a secret of a Key Vault', () => {
  test('is requested with a pinned API version, and with the token after the challenge', async () => {
    const asked: string[] = [];
    const secret = await read(({ url, headers }) => {
      asked.push(`${new URL(url).pathname} ${new URL(url).searchParams.get('api-version')}`);
      const body = JSON.stringify({ value: 'K10abc\n', id: `${url}/secrets/k3s-token/1`, attributes: {} });
      return headers?.authorization ? { body } : challenge;
    });
    expect(secret.reveal()).toBe('K10abc');
    expect(asked).toEqual(['/secrets/k3s-token/ 7.6', '/secrets/k3s-token/ 7.6']);
  });

  test.each([
    [
      'an unknown name',
      new NodeError('Unreachable', 'no', { cause: systemError('ENOTFOUND') }),
      'VaultNotFound',
      'time',
    ],
    [
      'an untrusted certificate',
      new NodeError('TlsUntrusted', 'no', { endedBy: 'person' }),
      'TlsUntrusted',
      'person',
    ],
    ['a timeout', new NodeError('TimedOut', 'no'), 'VaultUnavailable', 'time'],
    ['401 and no challenge', { status: 401 }, 'VaultWrongTenant', 'person'],
    ['404 of another server', { status: 404, body: 'not here' }, 'UnexpectedAnswer', 'person'],
    ['408', { status: 408, body: '' }, 'VaultUnavailable', 'time'],
    ['410', { status: 410, body: '' }, 'VaultUnavailable', 'time'],
    [
      'no value',
      { body: JSON.stringify({ id: `${url}/secrets/k3s-token/1`, attributes: {} }) },
      'SecretEmpty',
      'person',
    ],
    [
      'an access policy',
      {
        status: 403,
        body: '{"error":{"code":"Forbidden","message":"no get","innererror":{"code":"ForbiddenByPolicy"}}}',
      },
      'VaultForbidden',
      'time',
    ],
  ])('%s', async (_what, answer, reason, endedBy) => {
    await expect(read(answer)).rejects.toMatchObject({ reason, endedBy });
  });

  test('with invalid characters is reported with a remedy, and not quoted', async () => {
    const value = Buffer.from('canary', 'utf16le').toString();
    const body = JSON.stringify({ value, id: `${url}/secrets/k3s-token/1`, attributes: {} });
    const refused = await read({ body }).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({
      reason: 'SecretEmpty',
      endedBy: 'person',
      message: expect.stringMatching(/^The secret "k3s-token" in .* UTF-16 .* a new version .* UTF-8\.$/),
    });
    expect(`${refused}`).not.toContain(value);
  });

  test.each([
    ['a failing identity', new NodeError('ManagedIdentityMissing', 'none')],
    ['a dry run', new Recorded('noted')],
  ])('is not caught: %s', async (_what, thrown) => {
    await expect(read(challenge, () => Promise.reject(thrown))).rejects.toBe(thrown);
    await expect(
      read(thrown instanceof Recorded ? thrown : challenge, () => Promise.reject(thrown)),
    ).rejects.toBe(thrown);
  });
});

test.each([
  ['SecretDisabled', 'Operation get is not allowed on a disabled secret.', /is disabled/],
  ['SecretExpired', 'Operation get is not allowed on an expired secret.', /has expired/],
  ['', 'Operation get is not allowed on an expired secret.', /has expired/],
  ['SecretNotYetValid', 'Operation get is not allowed on a not-yet-valid secret.', /not valid yet/],
])('403 %s %s is not reported as a missing role', async (code, message, says) => {
  const error = { code: 'Forbidden', message, innererror: { code } };
  await expect(read({ status: 403, body: JSON.stringify({ error }) })).rejects.toMatchObject({
    reason: 'SecretDisabled',
    endedBy: 'person',
    message: expect.stringMatching(says),
  });
});
