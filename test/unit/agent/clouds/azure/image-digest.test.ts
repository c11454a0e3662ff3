import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { imageDigest } from '../../../../../src/agent/clouds/azure/image-digest.ts';
import { NodeError, Recorded } from '../../../../../src/agent/engine/errors.ts';
import type { HttpSend } from '../../../../../src/agent/engine/host.ts';
import { reveal } from '../../../../../src/agent/engine/secret.ts';
import { systemError } from '../../../../../src/agent/host/files/file-errors.ts';
import { datedToken } from '../../../../lab/fake-cloud.ts';
import { memoryHost, type ResponseAnswer } from '../../../../lab/memory-host.ts';

const loginServer = 'team.azurecr.io';
const digest = `sha256:${'ab'.repeat(32)}`;
const challenge = {
  status: 401,
  headers: {
    'www-authenticate': `Bearer realm="https://${loginServer}/oauth2/token",service="${loginServer}",scope="repository:base/alpine:metadata_read"`,
  },
};

/**
 * Requests the digest of an image that the registry has. If given, `answer` replaces the registry's answer to the
 * request for the tag. Returns the host, the requests that it sends, and a promise of the digest.
 */
function look(
  answer: ResponseAnswer | undefined,
  getToken: (scope: unknown) => Promise<{ token: string; expiresOnTimestamp: number }> = async () => ({
    token: 'canary',
    expiresOnTimestamp: 9e15,
  }),
) {
  const sent: HttpSend[] = [];
  const tag = { registry: loginServer, imageName: 'base/alpine', tag: { name: '3.22', digest } };
  const manifest = { registry: loginServer, imageName: 'base/alpine', manifest: { digest, imageSize: 7 } };
  const host = memoryHost().onRequest({ url: /.*/ }, async (request) => {
    sent.push(request);
    const { pathname } = new URL(request.url);
    if (pathname === '/oauth2/exchange') {
      return JSON.stringify({ refresh_token: datedToken(0, 9e9, 'canary') });
    }
    if (pathname === '/oauth2/token') {
      return JSON.stringify({ access_token: 'canary.token' });
    }
    if (request.headers?.authorization === undefined) {
      return challenge;
    }
    return JSON.stringify(pathname.includes('/_tags/') ? tag : manifest);
  });
  if (answer !== undefined) {
    host.onGet(/\/_tags\/3\.22/, answer);
  }
  const options = {
    host,
    credential: { getToken },
    imdsEndpoint: 'http://imds',
    audience: 'https://acr.example/',
  };
  const image = { loginServer, repository: 'base/alpine', tag: '3.22' };
  return { sent, host, digest: imageDigest(options, image) };
}

describe('imageDigest', () => {
  test('returns the digest in the manifest properties, requested with a token of the identity', async () => {
    const scopes: unknown[] = [];
    const seen = look(undefined, async (scope) => {
      scopes.push(scope);
      return { token: 'canary', expiresOnTimestamp: 9e15 };
    });
    expect(await seen.digest).toBe(digest);
    expect(scopes).toEqual(['https://acr.example/.default']);
    expect(
      seen.sent.map(({ method, url }) => `${method} ${decodeURIComponent(new URL(url).pathname)}`),
    ).toEqual([
      'GET /acr/v1/base/alpine/_tags/3.22',
      'POST /oauth2/exchange',
      'POST /oauth2/token',
      'GET /acr/v1/base/alpine/_tags/3.22',
      `GET /acr/v1/base/alpine/_manifests/${digest}`,
    ]);
    expect(reveal(seen.sent[1]?.body ?? '')).toContain('access_token=canary');
    expect(inspect(seen.host.journal)).not.toMatch(/canary|eyJ/);
  });

  const error = (status: number, code: string, headers = {}) => ({
    status,
    headers,
    body: JSON.stringify({ errors: [{ code, message: `said ${code}` }] }),
  });

  interface Failure {
    readonly what: string;
    readonly answer: ResponseAnswer;
    readonly reason: string;
    readonly endedBy: string;
    readonly says: RegExp;
  }

  test.each<Failure>([
    {
      what: 'a missing image',
      answer: error(404, 'TAG_UNKNOWN'),
      reason: 'ProofImageNotFound',
      endedBy: 'person',
      says: /base\/alpine:3\.22.*said TAG_UNKNOWN.*registries\.proof/,
    },
    {
      what: 'a missing role',
      answer: { ...challenge, ...error(401, 'UNAUTHORIZED', challenge.headers) },
      reason: 'PullDenied',
      endedBy: 'time',
      says: /said UNAUTHORIZED.*AcrPull.*Repository Reader/,
    },
    {
      what: 'a refusal by the firewall',
      answer: error(403, 'DENIED'),
      reason: 'RegistryForbidden',
      endedBy: 'person',
      says: /said DENIED.*subnet/,
    },
    {
      what: 'a 429 answer',
      answer: error(429, 'TOOMANYREQUESTS'),
      reason: 'Throttled',
      endedBy: 'time',
      says: /fewer/,
    },
    {
      what: 'a 503 answer',
      answer: error(503, 'UNAVAILABLE'),
      reason: 'RegistryUnavailable',
      endedBy: 'time',
      says: /503/,
    },
    {
      what: 'a 410 answer',
      answer: error(410, 'GONE'),
      reason: 'RegistryUnavailable',
      endedBy: 'time',
      says: /410/,
    },
    {
      what: 'a server that is not a registry',
      answer: error(418, 'TEAPOT'),
      reason: 'UnexpectedAnswer',
      endedBy: 'person',
      says: /418.*said TEAPOT/,
    },
    {
      what: 'an HTML page',
      answer: '<html>',
      reason: 'UnexpectedAnswer',
      endedBy: 'person',
      says: /status 200/,
    },
    {
      what: 'a 401 answer without a challenge',
      answer: { status: 401 },
      reason: 'PullDenied',
      endedBy: 'time',
      says: /AcrPull/,
    },
    {
      what: 'an unknown host name',
      answer: new NodeError('Unreachable', 'no', { cause: systemError('ENOTFOUND') }),
      reason: 'RegistryNotFound',
      endedBy: 'time',
      says: /does not resolve/,
    },
    {
      what: 'a failed connection',
      answer: new NodeError('Unreachable', 'no'),
      reason: 'RegistryUnavailable',
      endedBy: 'time',
      says: /cannot be reached/,
    },
    {
      what: 'an untrusted certificate',
      answer: new NodeError('TlsUntrusted', 'no'),
      reason: 'TlsUntrusted',
      endedBy: 'person',
      says: /network\.caFile/,
    },
  ])('reports $what as $reason', async ({ answer, reason, endedBy, says }) => {
    const failure = await look(answer).digest.catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ reason, endedBy, message: expect.stringMatching(says) });
    expect(inspect(failure, { depth: 20, showHidden: true })).not.toMatch(/canary|eyJ/);
  });

  test.each([
    ['an identity that fails', new NodeError('ManagedIdentityMissing', 'none')],
    ['an identity in a dry run', new Recorded('noted')],
  ])('passes on the error of %s', async (_what, thrown) => {
    await expect(look(undefined, () => Promise.reject(thrown)).digest).rejects.toBe(thrown);
  });

  test('throws Recorded at the first request in a dry run', async () => {
    const recorded = new Recorded('noted');
    await expect(look(recorded).digest).rejects.toBe(recorded);
  });

  test('does not retry after a 503 answer', async () => {
    const { host, digest } = look({ status: 503 });
    await expect(digest).rejects.toMatchObject({ reason: 'RegistryUnavailable' });
    expect(host.journal).toHaveLength(1);
  });
});
