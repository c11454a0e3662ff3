import { createPrivateKey, verify, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { requestToken } from '../../../../../src/agent/clouds/oracle/federation.ts';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import type { HttpSend } from '../../../../../src/agent/engine/host.ts';
import { reveal } from '../../../../../src/agent/engine/secret.ts';
import { memoryHost, type ResponseAnswer, unreachable } from '../../../../lab/memory-host.ts';
import { fingerprintOf, instanceFiles, sessionKeys, tenancy } from './an-instance.ts';

const files = instanceFiles();
const certificates = {
  leaf: new X509Certificate(files['cert.pem']),
  key: createPrivateKey(files['key.pem']),
  intermediates: [new X509Certificate(files['intermediate.pem'])],
  tenancy,
};
const place = { region: 'eu-frankfurt-1', domain: 'oraclecloud.com' };
const url = 'https://auth.eu-frankfurt-1.oraclecloud.com/v1/x509';
const aToken = 'aGVhZA.Y2xhaW1z.c2lnbmF0dXJl';

function ask(answer: ResponseAnswer) {
  const host = memoryHost().onRequest({ method: 'POST', url }, answer);
  return { host, token: requestToken({ host, place }, certificates, sessionKeys.publicKey) };
}

function answering(token: unknown): ResponseAnswer {
  return { body: JSON.stringify({ token }) };
}

describe('requestToken', () => {
  test('sends the certificate, its chain and the public key to the service of the region', async () => {
    let sent: HttpSend | undefined;
    const { token } = ask((request) => {
      sent = request;
      return JSON.stringify({ token: aToken });
    });
    expect(await token).toBe(aToken);
    expect(JSON.parse(reveal(sent?.body ?? ''))).toEqual({
      certificate: certificates.leaf.raw.toString('base64'),
      publicKey: sessionKeys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      intermediateCertificates: certificates.intermediates.map(({ raw }) => raw.toString('base64')),
      purpose: 'DEFAULT',
    });
  });

  test('signs the request and the current date with the key of the certificate', async () => {
    let sent: HttpSend | undefined;
    const { host, token } = ask((request) => {
      sent = request;
      return JSON.stringify({ token: aToken });
    });
    await token;
    const headers = new Map(Object.entries(sent?.headers ?? {}).map(([name, text]) => [name, reveal(text)]));
    const [, keyId, names = '', signature = ''] =
      /^Signature version="1",keyId="([^"]+)",algorithm="rsa-sha256",headers="([^"]+)",signature="([^"]+)"$/.exec(
        headers.get('authorization') ?? '',
      ) ?? [];
    expect(keyId).toBe(`${tenancy}/fed-x509/${fingerprintOf(certificates.leaf)}`);
    expect(headers.get('date')).toBe(new Date(host.now()).toUTCString());
    const covered = names
      .split(' ')
      .map((name) => `${name}: ${name === '(request-target)' ? 'post /v1/x509' : headers.get(name)}`);
    const isSigned = verify(
      'sha256',
      Buffer.from(covered.join('\n')),
      certificates.leaf.publicKey,
      Buffer.from(signature, 'base64'),
    );
    expect(isSigned).toBe(true);
  });

  test.each([
    ['has the greatest length that a header may have', `a.b.${'c'.repeat(16_380)}`],
    ['has every character of base64url', 'aZ0-_.aZ0-_.aZ0-_'],
  ])('accepts a token that %s', async (_what, given) => {
    expect(await ask(answering(given)).token).toBe(given);
  });

  test.each([
    ['is too long for a header', `a.b.${'c'.repeat(16_381)}`],
    ['has two parts', 'a.b'],
    ['has four parts', 'a.b.c.d'],
    ['has an empty part', 'a..c'],
    ['has a line break', 'a.b.c\r\nx: canary'],
    ['begins with a space', ' a.b.c'],
    ['is not a text', 5],
    ['is missing', undefined],
  ])('refuses a token that %s, without quoting it', async (_what, given) => {
    const failure = await ask(answering(given)).token.catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({
      reason: 'UnexpectedAnswer',
      endedBy: 'time',
      message: expect.stringContaining('auth.eu-frankfurt-1.oraclecloud.com'),
    });
    expect(`${failure}`).not.toContain('canary');
  });

  test.each<[string, ResponseAnswer, object]>([
    ['no answer', unreachable(url), { reason: 'InstancePrincipalUnavailable', endedBy: 'time' }],
    [
      'an unknown certificate',
      new NodeError('TlsUntrusted', 'self-signed.'),
      { reason: 'TlsUntrusted', endedBy: 'person' },
    ],
    ['503', { status: 503 }, { reason: 'InstancePrincipalUnavailable', endedBy: 'time' }],
    [
      '429',
      { status: 429, headers: { 'retry-after': '7' } },
      { reason: 'Throttled', retry: { after: 7_000 } },
    ],
    [
      '401',
      { status: 401, body: '{"code":"NotAuthenticated","message":"no"}' },
      { reason: 'InstancePrincipalRefused', endedBy: 'time' },
    ],
    ['201 with a token', { status: 201, ...Object(answering(aToken)) }, { reason: 'UnexpectedAnswer' }],
    ['200 with an HTML page', '<html>', { reason: 'UnexpectedAnswer', endedBy: 'time' }],
  ])('reports the right reason for %s, and names the service', async (_what, answer, expected) => {
    await expect(ask(answer).token).rejects.toMatchObject({
      ...expected,
      message: expect.stringContaining('auth.eu-frankfurt-1.oraclecloud.com'),
    });
  });
});
