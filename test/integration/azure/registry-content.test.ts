import { ContainerRegistryClient } from '@azure/container-registry';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { azureHttpClient } from '../../../src/agent/clouds/azure/http-client.ts';
import type { Host, HttpResponse } from '../../../src/agent/engine/host.ts';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { type Azure, startAzure } from '../../lab/azure/index.ts';
import type { Registry } from '../../lab/azure/registry.ts';

const loginServer = 'team.azurecr.io';

// The tests of the pull rely on the emulated registry. Therefore, these tests check the emulation against Azure's
// documentation.
let azure: Azure;
/** The Host that all tests share; each further instance would read the certificates of this machine again. */
let host: Host;
let registry: Registry;
let password: string;
beforeAll(async () => {
  azure = await startAzure({ nodes: { server: {} }, registries: [loginServer] });
  host = nodeHost({ proxy: azure.proxyUrl, caFile: azure.caFile });
  registry = azure.registry();
});
beforeEach(async () => {
  registry.roleCheckedAt = 'exchange';
  registry.mode = 'rbac';
  registry.closed = false;
  registry.tokenLifetime = 3 * 3_600_000;
  registry.storage.closed = false;
  registry.storage.urlLifetime = 20 * 60_000;
  azure.setRole('server', 'AcrPull', loginServer);
  password = await exchanged();
});
afterAll(() => azure.stop());

const manifestPath = '/v2/hello/world/manifests/1';
const pullScope = 'repository:hello/world:pull';

describe('an access token', () => {
  test.each([
    ['GET, as containerd and skopeo do', () => tokenByGet(pullScope)],
    ['POST, as the SDK does', () => tokenByPost(pullScope)],
  ])('gives access to a manifest when requested with %s', async (_name, get) => {
    const { status, headers, body } = await at(manifestPath, bearer(await get()));
    expect({ status, type: headers['content-type'] }).toEqual({
      status: 200,
      type: 'application/vnd.oci.image.index.v1+json',
    });
    expect(headers['docker-content-digest']).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(JSON.parse(body).manifests).toHaveLength(2);
  });

  test('is refused for the password grant, so containerd falls back to GET', async () => {
    const answer = await post({ grant_type: 'password', service: loginServer, scope: pullScope });
    expect(answer.status).toBe(400);
  });

  test.each([
    ['no credentials', () => ({})],
    ['a wrong password', () => basic('canary')],
    ['another user name', () => basic(password, 'admin')],
  ])('is refused for a request with %s', async (_name, headers) => {
    expect((await askToken(pullScope, headers())).status).toBe(401);
  });

  test('has only the granted scope, and expires after 75 minutes, or with its refresh token if that is earlier', async () => {
    const claims = claimsOf(await tokenByGet('repository:hello/world:pull,push'));
    expect(claims.access).toEqual([{ type: 'repository', name: 'hello/world', actions: ['pull'] }]);
    expect(claims.exp - claims.iat).toBe(4500);
    registry.tokenLifetime = 60_000;
    password = await exchanged();
    const short = claimsOf(await tokenByGet(pullScope));
    expect(short.exp).toBe(claimsOf(password).exp);
  });

  test('is refused for an expired refresh token', async () => {
    registry.tokenLifetime = 1_000;
    const short = await exchanged();
    await expect
      .poll(async () => (await askToken(pullScope, basic(short))).status, { timeout: 60_000 })
      .toBe(401);
  });
});

describe('a manifest', () => {
  interface Refusal {
    readonly name: string;
    readonly headers: () => Promise<object>;
    readonly challenge: RegExp;
  }

  test.each<Refusal>([
    {
      name: 'without a token',
      headers: async () => ({}),
      challenge: /scope="repository:hello\/world:pull"$/,
    },
    {
      name: 'with the refresh token',
      headers: async () => bearer(password),
      challenge: /error="invalid_token"/,
    },
    {
      name: 'with Basic credentials',
      headers: async () => basic(password),
      challenge: /^Bearer realm=/,
    },
    {
      name: 'with a forged token',
      headers: async () => bearer('canary'),
      challenge: /error="invalid_token"/,
    },
    {
      name: 'with a token for another repository',
      headers: async () => bearer(await tokenByGet('repository:other:pull')),
      challenge: /error="insufficient_scope"/,
    },
  ])('is refused $name', async ({ headers, challenge }) => {
    const answer = await at(manifestPath, await headers());
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 401, code: 'UNAUTHORIZED' });
    expect(answer.headers['www-authenticate']).toMatch(challenge);
  });

  test.each([
    ['hello/world', 'no-such-tag', 'MANIFEST_UNKNOWN'],
    ['no/such/repository', '1', 'NAME_UNKNOWN'],
  ])('is not found for %s:%s', async (name, tag, code) => {
    const token = await tokenByGet(`repository:${name}:pull`);
    const answer = await at(`/v2/${name}/manifests/${tag}`, bearer(token));
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 404, code });
  });

  test('cannot be pushed, even with a token requested for push', async () => {
    const token = await tokenByGet('repository:hello/world:pull,push');
    const url = `https://${loginServer}/v2/hello/world/manifests/2`;
    const answer = await host.send({ method: 'PUT', url, headers: bearer(token), body: '{}' });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('scope="repository:hello/world:pull,push"');
  });
});

describe('a pull after the removal of the role', () => {
  test.each<readonly [Registry['roleCheckedAt'], number, number]>([
    ['exchange', 401, 401],
    ['token', 401, 401],
    ['manifest', 200, 403],
  ])(
    'is refused by a registry that checks the role at the %s request',
    async (where, tokenStatus, manifestStatus) => {
      registry.roleCheckedAt = where;
      azure.setRole('server', 'AcrPull', loginServer, false);
      const answer = await askToken(pullScope, basic(password));
      expect(answer.status).toBe(tokenStatus);
      expect((await askToken(undefined, basic(password))).status, 'docker login').toBe(200);
      const token = answer.status === 200 ? JSON.parse(answer.body).access_token : 'none';
      expect((await at(manifestPath, bearer(token))).status).toBe(manifestStatus);
    },
  );
});

describe('a blob', () => {
  test('is served without a token after a redirect, in whole or in part', async () => {
    const location = await redirect();
    expect(new URL(location).host).toMatch(/\.blob\.core\.windows\.net$/);
    expect((await host.get({ url: location })).status).toBe(200);
    const part = await host.get({ url: location, headers: { range: 'bytes=10-19' } });
    expect({ status: part.status, range: part.headers['content-range'] }).toEqual({
      status: 206,
      range: expect.stringMatching(/^bytes 10-19\/\d{3,}$/),
    });
    expect(part.headers['content-length']).toBe('10');
  });

  interface Case {
    readonly name: string;
    readonly arrange?: () => void;
    readonly change?: (url: string) => string;
    readonly headers?: () => Record<string, string>;
    readonly status: number;
    readonly code: string;
  }
  test.each<Case>([
    {
      name: 'with a bearer token',
      headers: () => bearer('canary'),
      status: 400,
      code: 'InvalidAuthenticationInfo',
    },
    {
      name: 'with another signature',
      change: (url) => url.replace(/sig=[^&]+/, 'sig=canary'),
      status: 403,
      code: 'AuthenticationFailed',
    },
    {
      name: 'with a later expiry than the signed one',
      change: (url) => url.replace(/se=20\d\d/, 'se=2099'),
      status: 403,
      code: 'AuthenticationFailed',
    },
    {
      name: 'after the expiry of its URL',
      arrange: () => {
        registry.storage.urlLifetime = -1_000;
      },
      status: 403,
      code: 'AuthenticationFailed',
    },
    {
      name: 'for a range past its end',
      headers: () => ({ range: 'bytes=1000000-' }),
      status: 416,
      code: 'InvalidRange',
    },
    {
      name: 'by closed storage',
      arrange: () => {
        registry.storage.closed = true;
      },
      status: 403,
      code: 'AuthorizationFailure',
    },
  ])('is refused $name', async ({ arrange, change = String, headers = () => ({}), status, code }) => {
    arrange?.();
    const answer = await host.get({ url: change(await redirect()), headers: headers() });
    expect({ status: answer.status, code: answer.headers['x-ms-error-code'] }).toEqual({ status, code });
  });

  test('is served from a URL whose signature no log contains', async () => {
    const location = await redirect();
    await host.get({ url: location });
    const signature = new URL(location).searchParams.get('sig') ?? '';
    expect(azure.canaries()).toContain(signature);
    expect(JSON.stringify(azure.requests)).not.toContain(encodeURIComponent(signature));
  });
});

test('the firewall of the registry refuses all requests', async () => {
  const token = await tokenByGet(pullScope);
  registry.closed = true;
  for (const path of ['/v2/', manifestPath, '/oauth2/token']) {
    const answer = await at(path, bearer(token));
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 403, code: 'DENIED' });
  }
});

describe('image metadata requested with the SDK', () => {
  const client = () =>
    new ContainerRegistryClient(
      `https://${loginServer}`,
      { getToken: async () => entraToken() },
      {
        httpClient: azureHttpClient({
          host,
          imdsEndpoint: azure.imdsUrl('server'),
          origin: `https://${loginServer}`,
          observe: () => {},
        }),
      },
    );

  test('includes the tag and its manifest', async () => {
    const artifact = client().getArtifact('hello/world', '1');
    const { digest, name } = await artifact.getTagProperties('1');
    expect(name).toBe('1');
    const manifest = await artifact.getManifestProperties();
    expect(manifest).toMatchObject({ digest, tags: ['1'], registryLoginServer: loginServer });
    expect(manifest.relatedArtifacts.map(({ architecture }) => architecture)).toEqual(['amd64', 'arm64']);
  });

  test.each([
    ['hello/world', '2', 404],
    ['other', '1', 404],
  ])('is not found for %s:%s', async (name, tag, statusCode) => {
    const missing = client().getArtifact(name, tag).getManifestProperties();
    await expect(missing).rejects.toMatchObject({ statusCode });
  });

  test('is refused to an identity with AcrPull if the registry uses ABAC', async () => {
    registry.mode = 'abac';
    const refused = client().getArtifact('hello/world', '1').getManifestProperties();
    await expect(refused).rejects.toMatchObject({ statusCode: 401 });
  });
});

function at(path: string, headers: object): Promise<HttpResponse> {
  return host.get({ url: `https://${loginServer}${path}`, headers: { ...headers } });
}

function askToken(scope: string | undefined, headers: Record<string, string>): Promise<HttpResponse> {
  const query = new URLSearchParams({ service: loginServer, ...(scope && { scope }) });
  return at(`/oauth2/token?${query}`, headers);
}

async function tokenByGet(scope: string): Promise<string> {
  return JSON.parse((await askToken(scope, basic(password))).body).access_token;
}

/**
 * Exchanges an Entra token of the node's identity for a refresh token of the registry; resolves to the refresh token.
 */
async function exchanged(): Promise<string> {
  const form = { grant_type: 'access_token', service: loginServer, access_token: entraToken().token };
  return JSON.parse((await post(form, '/oauth2/exchange')).body).refresh_token;
}

async function tokenByPost(scope: string): Promise<string> {
  const form = { grant_type: 'refresh_token', service: loginServer, scope, refresh_token: password };
  return JSON.parse((await post(form)).body).access_token;
}

function post(form: Record<string, string>, path = '/oauth2/token'): Promise<HttpResponse> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const url = `https://${loginServer}${path}`;
  return host.send({ method: 'POST', url, headers, body: new URLSearchParams(form).toString() });
}

/** Resolves to the URL to which the registry redirects a request for a layer of hello/world:1. */
async function redirect(): Promise<string> {
  const headers = bearer(await tokenByGet(pullScope));
  const index = JSON.parse((await at(manifestPath, headers)).body);
  const { body } = await at(`/v2/hello/world/manifests/${index.manifests[0].digest}`, headers);
  const blob = await at(`/v2/hello/world/blobs/${JSON.parse(body).layers[0].digest}`, headers);
  expect(blob.status).toBe(307);
  return blob.headers.location ?? '';
}

function entraToken() {
  const { entra } = azure;
  const [identity] = azure.node('server').vm.identities;
  if (!identity) {
    throw new Error('The node has no identity.');
  }
  const { token, expiresAt } = entra.issue(identity, 'https://containerregistry.azure.net');
  return { token, expiresOnTimestamp: expiresAt * 1000 };
}

function claimsOf(token: string) {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
}

function codeOf({ body }: HttpResponse): string {
  return JSON.parse(body).errors[0].code;
}

function basic(secret: string, user = '00000000-0000-0000-0000-000000000000') {
  return { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` };
}

function bearer(token: string) {
  return { authorization: `Bearer ${token}` };
}
