import { describe, expect, test } from 'vitest';
import { registryToken } from '../../../../../src/agent/clouds/azure/registry.ts';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { reveal } from '../../../../../src/agent/engine/secret.ts';
import { systemError } from '../../../../../src/agent/host/files/file-errors.ts';
import { datedToken } from '../../../../lab/fake-cloud.ts';
import { memoryHost, type ResponseAnswer } from '../../../../lab/memory-host.ts';

function start(answer: ResponseAnswer) {
  const scopes: unknown[] = [];
  const credential = {
    getToken: async (scope: string | string[]) => {
      scopes.push(scope);
      return { token: 'canary/+=', expiresOnTimestamp: 0 };
    },
  };
  const host = memoryHost().onRequest(
    { method: 'POST', url: 'https://team.azurecr.io/oauth2/exchange' },
    answer,
  );
  const options = { host, credential, audience: 'https://containerregistry.azure.net/' };
  return { scopes, host, token: () => registryToken(options, 'team.azurecr.io') };
}

describe('registryToken', () => {
  test('sends an access token for the audience in a form, and returns a password with its expiry', async () => {
    const password = datedToken(Date.UTC(2026, 0, 1), 10_800_000);
    let form = '';
    const { token, scopes, host } = start(({ body = '' }) => {
      form = reveal(body);
      return JSON.stringify({ refresh_token: password });
    });
    const { password: given, until } = await token();
    expect(given.reveal()).toBe(password);
    expect(until).toBe(host.now() + 10_800_000);
    expect(scopes).toEqual(['https://containerregistry.azure.net/.default']);
    expect(Object.fromEntries(new URLSearchParams(form))).toEqual({
      grant_type: 'access_token',
      service: 'team.azurecr.io',
      access_token: 'canary/+=',
    });
    expect(JSON.stringify(host.journal)).not.toContain('canary');
  });

  const tls = new NodeError('TlsUntrusted', 'no', { endedBy: 'person' });
  const unknown = new NodeError('Unreachable', 'no', { cause: systemError('ENOTFOUND') });
  test.each([
    ['RegistryNotFound for an unknown host name', unknown, 'RegistryNotFound', 'time'],
    ['TlsUntrusted for an untrusted certificate', tls, 'TlsUntrusted', 'person'],
    [
      'RegistryUnavailable for a failed connection',
      new NodeError('Unreachable', 'no'),
      'RegistryUnavailable',
      'time',
    ],
    ['UnexpectedAnswer for a 400 answer', { status: 400 }, 'UnexpectedAnswer', 'person'],
    ['UnexpectedAnswer for an answer without a token', '{}', 'UnexpectedAnswer', 'time'],
    ['UnexpectedAnswer for a token that is not text', '{"refresh_token":7}', 'UnexpectedAnswer', 'time'],
    ['UnexpectedAnswer for the answer null', 'null', 'UnexpectedAnswer', 'time'],
  ])('throws %s', async (_what, answer, reason, endedBy) => {
    await expect(start(answer).token()).rejects.toMatchObject({ reason, endedBy });
  });
});
