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

describe('vaultSecret', () => {
  test('requests a secret with a pinned API version, and sends a token only after the challenge', async () => {
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
      'VaultNotFound for an unknown host name',
      new NodeError('Unreachable', 'no', { cause: systemError('ENOTFOUND') }),
      'VaultNotFound',
      'time',
    ],
    [
      'TlsUntrusted for an untrusted certificate',
      new NodeError('TlsUntrusted', 'no', { endedBy: 'person' }),
      'TlsUntrusted',
      'person',
    ],
    ['VaultUnavailable for a timeout', new NodeError('TimedOut', 'no'), 'VaultUnavailable', 'time'],
    ['VaultWrongTenant for a 401 answer without a challenge', { status: 401 }, 'VaultWrongTenant', 'person'],
    [
      'UnexpectedAnswer for a 404 answer of another server',
      { status: 404, body: 'not here' },
      'UnexpectedAnswer',
      'person',
    ],
    ['VaultUnavailable for a 408 answer', { status: 408, body: '' }, 'VaultUnavailable', 'time'],
    ['VaultUnavailable for a 410 answer', { status: 410, body: '' }, 'VaultUnavailable', 'time'],
    [
      'SecretEmpty for a secret without a value',
      { body: JSON.stringify({ id: `${url}/secrets/k3s-token/1`, attributes: {} }) },
      'SecretEmpty',
      'person',
    ],
    [
      'VaultForbidden for a refusal by an access policy',
      {
        status: 403,
        body: '{"error":{"code":"Forbidden","message":"no get","innererror":{"code":"ForbiddenByPolicy"}}}',
      },
      'VaultForbidden',
      'time',
    ],
  ])('throws %s', async (_what, answer, reason, endedBy) => {
    await expect(read(answer)).rejects.toMatchObject({ reason, endedBy });
  });

  test('reports a secret with invalid characters, names the repair, and does not quote the secret', async () => {
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
    ['an identity that fails', new NodeError('ManagedIdentityMissing', 'none')],
    ['an identity in a dry run', new Recorded('noted')],
  ])('passes on the error of %s', async (_what, thrown) => {
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
])(
  'vaultSecret reports a 403 as SecretDisabled for the code %j and the message %j',
  async (code, message, says) => {
    const error = { code: 'Forbidden', message, innererror: { code } };
    await expect(read({ status: 403, body: JSON.stringify({ error }) })).rejects.toMatchObject({
      reason: 'SecretDisabled',
      endedBy: 'person',
      message: expect.stringMatching(says),
    });
  },
);
