import { createHttpHeaders, createPipelineRequest } from '@azure/core-rest-pipeline';
import { describe, expect, test } from 'vitest';
import { azureHttpClient, metadataOrigin } from '../../../../../src/agent/clouds/azure/http-client.ts';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import type { HttpSend } from '../../../../../src/agent/engine/host.ts';
import { reveal } from '../../../../../src/agent/engine/secret.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';

const vault = 'https://team.vault.azure.net';

function start(
  answer: { status: number; headers?: Record<string, string>; body: string } | Error,
  origin = vault,
) {
  const sent: HttpSend[] = [];
  const seen: unknown[] = [];
  const host = memoryHost().onRequest({ url: /./ }, (request) => {
    sent.push(request);
    if (answer instanceof Error) {
      throw answer;
    }
    return answer;
  });
  const client = azureHttpClient({
    host,
    imdsEndpoint: 'http://10.9.9.9:8080/',
    origin,
    observe: (outcome) => seen.push(outcome),
  });
  return { client, sent, seen, host };
}

const request = (url: string, headers = {}) =>
  createPipelineRequest({ url, headers: createHttpHeaders(headers) });

describe('azureHttpClient', () => {
  test('returns status, headers and body of the answer', async () => {
    const { client, seen } = start({ status: 429, headers: { 'retry-after': '1' }, body: '{}' });
    const response = await client.sendRequest(request('https://team.vault.azure.net/secrets/a?x=1'));
    expect([response.status, response.headers.get('Retry-After'), response.bodyAsText]).toEqual([
      429,
      '1',
      '{}',
    ]);
    expect(seen).toMatchObject([{ status: 429 }]);
  });

  test('sends requests through the proxy with a ten-second timeout, without compression, and keeps the token out of the journal', async () => {
    const { client, sent, host } = start({ status: 200, body: '' });
    const headers = { 'accept-encoding': 'gzip', authorization: 'Bearer canary' };
    await client.sendRequest(request('https://team.vault.azure.net/secrets/a?x=1', headers));
    expect(sent).toMatchObject([
      { method: 'GET', url: 'https://team.vault.azure.net/secrets/a?x=1', timeout: 10_000, direct: false },
    ]);
    const { authorization = '', ...others } = sent[0]?.headers ?? {};
    expect(reveal(authorization)).toBe('Bearer canary');
    expect(Object.keys(others)).toEqual([]);
    expect(JSON.stringify(host.journal)).not.toContain('canary');
  });

  test('sends metadata requests to azure.imdsEndpoint without a proxy, with a timeout of five seconds', async () => {
    const { client, sent } = start({ status: 200, body: '' }, metadataOrigin);
    await client.sendRequest(request('http://169.254.169.254/metadata/identity/oauth2/token?resource=a%2Fb'));
    expect(sent).toMatchObject([
      {
        url: 'http://10.9.9.9:8080/metadata/identity/oauth2/token?resource=a%2Fb',
        timeout: 5_000,
        direct: true,
      },
    ]);
  });

  test("throws the Host's errors unchanged", async () => {
    const unreachable = new NodeError('Unreachable', 'no');
    const { client, seen } = start(unreachable);
    await expect(client.sendRequest(request('https://team.vault.azure.net/'))).rejects.toBe(unreachable);
    expect(seen).toEqual([unreachable]);
  });

  test.each([
    'https://evil.example/',
    'http://team.vault.azure.net/',
    'https://team.vault.azure.net:8443/',
    'http://169.254.169.254/metadata',
  ])('refuses to send a request to another origin: %s', async (url) => {
    const { client, sent, seen } = start({ status: 200, body: '' });
    const refusal = { reason: 'UnexpectedAnswer', endedBy: 'person' };
    await expect(client.sendRequest(request(url))).rejects.toMatchObject(refusal);
    expect({ sent, seen }).toMatchObject({ sent: [], seen: [refusal] });
  });

  test('refuses to send a body that is not a string', async () => {
    const { client } = start({ status: 200, body: '' });
    const binary = createPipelineRequest({ url: `${vault}/`, body: new Uint8Array(1) });
    await expect(client.sendRequest(binary)).rejects.toThrow(/not a text/);
  });
});
