import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cloud } from '../../src/agent/clouds/cloud.ts';
import { clouds } from '../../src/agent/clouds/index.ts';
import { Secret } from '../../src/agent/engine/secret.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { parseImage } from '../../src/agent/parts/registry/oci/registry-manifest.ts';
import { pull } from '../../src/agent/parts/registry/oci/registry-pull.ts';
import type { Login } from '../../src/agent/parts/registry/registries-yaml.ts';
import { expectFailure, loginServer, startWorld, type World } from '../integration/azure/world.ts';
import { Faults, type Incoming, type Loopback, type Reply, startLoopback } from '../lab/azure/loopback.ts';

// Host names outside Azure. The server that answers for them records all requests and has a certificate that this node
// trusts.
const foreign = ['ghcr.io', 'team.vault.example', 'evil.example'];

let world: World;
let stranger: Loopback;
let shown: Incoming[];
let answer: (request: Incoming) => Reply;
let cloud: Cloud;
let issuedBefore: number;
// All tests share one world, because MSAL keeps using the network client of the first credential in a process.
beforeAll(async () => {
  world = await startWorld();
  cloud = world.cloud();
  await cloud.registryPassword(loginServer);
  stranger = await startLoopback({
    name: 'stranger',
    log: world.azure.requests,
    faults: new Faults(),
    tls: world.azure.issue(foreign),
    answer: (request) => {
      shown.push(request);
      return answer(request);
    },
  });
  for (const name of foreign) {
    world.azure.route(`${name}:443`, stranger.port);
  }
});
beforeEach(() => {
  shown = [];
  answer = () => ({ status: 404 });
  issuedBefore = world.azure.entra.issued.length;
  world.azure.node('server').vm.azEnvironment = 'AzurePublicCloud';
  for (const { faults } of [world.azure.registry(), world.azure.vault(), world.azure.node('server')]) {
    faults.heal();
  }
});
afterAll(() => Promise.all([stranger.stop(), world.azure.stop()]));

/** Returns, as JSON, the requests to the foreign host that contain a token, a password or an Authorization header. */
function tokensShown(): readonly string[] {
  const texts = shown.map(({ url, headers, body }) => JSON.stringify([url.href, headers, body]));
  return texts.filter((text) => /eyJ|authorization|canary/i.test(text));
}

function tokensIssued(): number {
  return world.azure.entra.issued.length - issuedBefore;
}

describe('a registry outside the cloud', () => {
  test.each([
    ['a password', () => cloud.registryPassword('ghcr.io')],
    ['the digest of an image', () => cloud.imageDigest('ghcr.io', 'hello/world', '1')],
  ])('gets no request for %s, and no token is requested for that registry', async (_what, call) => {
    await expectFailure(call(), { reason: 'ForeignHost', endedBy: 'person', says: /ghcr\.io.*azurecr\.io/ });
    expect({ shown, issued: tokensIssued() }).toEqual({ shown: [], issued: 0 });
  });

  test.each(['team.azurecr.cn', 'azurecr.io', 'evilazurecr.io', 'azurecr.io.evil.example'])(
    'gets no token from a VM in the public cloud: %s',
    async (server) => {
      await expectFailure(cloud.registryPassword(server), { reason: 'ForeignHost', endedBy: 'person' });
      expect(tokensIssued()).toBe(0);
    },
  );

  test('receives a token only if the consent names its host', async () => {
    const consenting = world.cloud({}, undefined, ['ghcr.io']);
    await expectFailure(consenting.registryPassword('ghcr.io'), {
      reason: 'UnexpectedAnswer',
      endedBy: 'person',
    });
    expect(tokensShown()).toHaveLength(1);
    await expectFailure(consenting.registryPassword('evil.example'), {
      reason: 'ForeignHost',
      endedBy: 'person',
      says: /identityHosts: \[ghcr\.io, evil\.example\]/,
    });
    expect(shown).toHaveLength(1);
  });

  test('gets no token while the Azure cloud of the VM is unknown, and neither does any other registry', async () => {
    world.azure.node('server').vm.azEnvironment = 'AzureStack';
    await expectFailure(world.cloud().registryPassword(loginServer), {
      reason: 'UnexpectedAnswer',
      endedBy: 'person',
      says: /azure\.environment/,
    });
    expect(tokensIssued()).toBe(0);
  });
});

describe.each([
  ['another host', 'https://evil.example/oauth2/exchange'],
  ['another host without TLS', 'http://evil.example/oauth2/exchange'],
  ['the metadata service', 'http://169.254.169.254/oauth2/exchange'],
])('a registry that redirects the exchange to %s', (_name, location) => {
  test.each([
    ['a password', () => cloud.registryPassword(loginServer)],
    ['the digest of an image', () => cloud.imageDigest(loginServer, 'hello/world', '1')],
  ])('makes the request for %s fail, and the target gets no request', async (_what, call) => {
    world.azure.registry().faults.fail({ status: 307, headers: { location } }, { on: /^\/oauth2\/exchange/ });
    await expectFailure(call(), {
      reason: 'UnexpectedAnswer',
      endedBy: 'person',
      says: /redirects to (evil\.example|169\.254\.169\.254), and nothing was sent there/,
    });
    expect(
      world.azure.requests.filter(
        ({ path, server }) => path === '/oauth2/exchange' && server.startsWith('imds'),
      ),
    ).toEqual([]);
    expect(shown).toEqual([]);
  });
});

const { hints } = clouds.azure;

describe('a pull from a registry', () => {
  const login: Login = { username: 'user', password: new Secret('canary-password') };
  const proof = () =>
    pull(
      { host: host(), server: loginServer, login, hints },
      parseImage(`${loginServer}/hello/world:1`),
      'x64',
    );

  test.each([
    ['a foreign token service', 'https://evil.example/oauth2/token'],
    ['the registry without TLS', `http://${loginServer}/oauth2/token`],
    ['another port of the registry', `https://${loginServer}:8443/oauth2/token`],
    ['a URL that begins with the name of the registry', `https://${loginServer}@evil.example/oauth2/token`],
    ['a host whose name ends with the name of the registry', 'https://evil.team.azurecr.io/oauth2/token'],
  ])('does not send the password to a realm that is %s', async (_what, realm) => {
    const challenge = `Bearer realm="${realm}",service="${loginServer}",scope="repository:hello/world:pull"`;
    world.azure
      .registry()
      .faults.fail({ status: 401, headers: { 'www-authenticate': challenge } }, { on: /^\/v2\// });
    await expectFailure(proof(), {
      reason: 'UnexpectedAnswer',
      endedBy: 'person',
      says: /was not shown there/,
    });
    expect(shown).toEqual([]);
  });

  test.each([
    ['a token', /^\/oauth2\/token/],
    ['the manifest', /^\/v2\/hello\/world\/manifests/],
  ])('sends nothing to the target if the registry redirects the request for %s', async (_what, on) => {
    const location = 'https://evil.example/';
    world.azure.registry().faults.fail({ status: 307, headers: { location } }, { on });
    await expectFailure(proof(), { reason: 'UnexpectedAnswer', endedBy: 'person' });
    expect(shown).toEqual([]);
  });

  test('sends no login to the target if the registry redirects the request for a layer', async () => {
    const { password } = await cloud.registryPassword(loginServer);
    world.azure
      .registry()
      .faults.fail({ status: 307, headers: { location: 'https://evil.example/layer' } }, { on: /\/blobs\// });
    const opening = {
      host: host(),
      server: loginServer,
      login: { username: cloud.registryUser(loginServer), password },
      hints,
    };
    await expectFailure(pull(opening, parseImage(`${loginServer}/hello/world:1`), 'x64'), {
      reason: 'StorageUnreachable',
      endedBy: 'person',
    });
    expect({ asked: shown.length, tokens: tokensShown() }).toEqual({ asked: 1, tokens: [] });
  });
});

describe('a Key Vault', () => {
  test('gets no request if its host is outside the cloud', async () => {
    const challenge =
      'Bearer authorization="https://login.microsoftonline.com/x", resource="https://vault.example"';
    answer = () => ({ status: 401, headers: { 'www-authenticate': challenge } });
    const outside = world.cloud({ keyVault: { url: 'https://team.vault.example' } });
    await expectFailure(outside.secret('k3s-token'), {
      reason: 'ForeignHost',
      endedBy: 'person',
      says: /team\.vault\.example.*vault\.azure\.net/,
    });
    expect({ shown, issued: tokensIssued() }).toEqual({ shown: [], issued: 0 });
  });

  test('gets no token if its Azure cloud differs from the settings', async () => {
    const other = world.cloud({ environment: 'china', keyVault: { url: 'https://team.vault.azure.net' } });
    await expectFailure(other.secret('k3s-token'), { reason: 'ForeignHost', endedBy: 'person' });
    expect(tokensIssued()).toBe(0);
  });

  test.each([
    'https://azure.net',
    'https://net',
    'https://management.azure.com',
    'https://team.vault.azure.net',
  ])('gets no token if its challenge names the resource %s', async (resource) => {
    const challenge = `Bearer authorization="https://login.microsoftonline.com/x", resource="${resource}"`;
    world.azure.vault().faults.fail({ status: 401, headers: { 'www-authenticate': challenge } });
    await expectFailure(cloud.secret('k3s-token'), {
      reason: 'UnexpectedAnswer',
      endedBy: 'person',
      says: /no token was sent there/,
    });
    expect(tokensIssued()).toBe(0);
  });

  test.each(['https://evil.example/secrets', 'http://evil.example/', 'http://169.254.169.254/metadata'])(
    'cannot redirect a request to %s',
    async (location) => {
      world.azure.vault().faults.fail({ status: 307, headers: { location } });
      await expectFailure(cloud.secret('k3s-token'), {
        reason: 'UnexpectedAnswer',
        endedBy: 'person',
        says: /redirects to .* and nothing was sent there/,
      });
      expect(shown).toEqual([]);
    },
  );
});

test('a metadata service cannot redirect a request for a token', async () => {
  const location = 'http://127.0.0.1:1/metadata/identity/oauth2/token';
  world.azure.node('server').faults.fail({ status: 307, headers: { location } }, { on: /oauth2/ });
  await expectFailure(cloud.secret('k3s-token'), { reason: 'UnexpectedAnswer', endedBy: 'person' });
});

function host() {
  return nodeHost({ proxy: world.azure.proxyUrl, caFile: world.azure.caFile });
}
