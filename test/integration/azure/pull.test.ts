import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { azureCloud } from '../../../src/agent/clouds/azure/azure.ts';
import type { Cloud } from '../../../src/agent/clouds/cloud.ts';
import type { Host } from '../../../src/agent/engine/host.ts';
import type { Finding, Resource } from '../../../src/agent/engine/resource.ts';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { renderLogins, storedLogin } from '../../../src/agent/parts/registry/login-store.ts';
import { pullProofs } from '../../../src/agent/parts/registry/proof/pull-proof.ts';
import type { Registry } from '../../lab/azure/registry.ts';
import { aNode } from '../../unit/agent/a-node.ts';
import { type Expected, expectFailure, loginServer, startWorld, type World } from './world.ts';

const azure = {
  identity: {},
  keyVault: {},
  registryAudience: 'https://containerregistry.azure.net',
};
const image = `${loginServer}/hello/world:1`;

let world: World;
let cloud: Cloud;
let registry: Registry;
let host: Host;
let root: string;
beforeAll(async () => {
  world = await startWorld();
  registry = world.azure.registry();
  host = nodeHost({ proxy: world.azure.proxyUrl, caFile: world.azure.caFile });
  cloud = azureCloud({
    host,
    settings: { ...azure, imdsEndpoint: world.azure.imdsUrl('server') },
  });
});
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-pull-'));
  registry.faults.heal();
  registry.storage.faults.heal();
  Object.assign(registry, { closed: false, mode: 'rbac', roleCheckedAt: 'exchange' });
  registry.storage.closed = false;
  world.azure.setRole('server', 'AcrPull', loginServer);
  const received = await cloud.registryPassword(loginServer);
  const login = storedLogin(cloud.registryUser(loginServer), received, host.now());
  const store = renderLogins({ [loginServer]: login });
  await host.writeFile(join(root, 'var/lib/slipway/logins.json'), store, { mode: 0o600 });
  await keep(login.password);
  return () => rm(root, { recursive: true });
});
afterAll(() => world.azure.stop());

/** Writes registries.yaml with this password, as a rotation would. */
async function keep(password: string): Promise<void> {
  const auth = { username: cloud.registryUser(loginServer), password };
  const content = JSON.stringify({ configs: { [loginServer]: { auth } } });
  await host.writeFile(join(root, 'etc/rancher/k3s/registries.yaml'), content, { mode: 0o600 });
}

function proofOf(...images: readonly string[]): Resource {
  const settings = { registries: { servers: [loginServer], proof: images } };
  const [resource] = pullProofs(aNode('server', { root, settings }), cloud, []);
  if (!resource) {
    throw new Error('there is no resource');
  }
  return resource;
}

async function prove(resource: Resource): Promise<Finding> {
  const finding = await resource.check(host);
  if (finding.state === 'Drifted') {
    await finding.drift.remedy(host);
  }
  return resource.check(host);
}

test("the pull check fetches manifest and layer with the written login, and the image's metadata with the identity", async () => {
  const before = world.azure.requests.length;
  const finding = await prove(proofOf(image));
  const seen = world.azure.requests
    .slice(before)
    .filter(({ server }) => server !== 'proxy' && !server.startsWith('imds'))
    .map(
      ({ server, status, method, path }) =>
        `${server} ${status} ${method} ${path.replace(/sha256(:|%3A|\/).*/, 'DIGEST')}`,
    );
  expect(seen).toEqual([
    'registry 401 GET /v2/hello/world/manifests/1',
    'registry 200 GET /oauth2/token',
    'registry 200 GET /v2/hello/world/manifests/1',
    'registry 200 GET /v2/hello/world/manifests/DIGEST',
    'registry 307 GET /v2/hello/world/blobs/DIGEST',
    expect.stringMatching(/^storage 206 GET /),
    'registry 401 GET /acr/v1/hello%2Fworld/_tags/1',
    'registry 200 POST /oauth2/exchange',
    'registry 200 POST /oauth2/token',
    'registry 200 GET /acr/v1/hello%2Fworld/_tags/1',
    'registry 200 GET /acr/v1/hello%2Fworld/_manifests/DIGEST',
  ]);
  const digest = registry.content.manifest('hello/world', '1')?.digest.slice(0, 19);
  expect(finding).toMatchObject({
    state: 'InSync',
    message: expect.stringMatching(
      new RegExp(
        `^${image} pulled at \\S+Z \\(${digest}, (\\S+ KiB) of \\1 of layer 1 of 1 from ${registry.storage.host}; the identity sees it too\\) with the credential that ends \\d\\d:\\d\\dZ$`,
      ),
    ),
  });
});

test('the record and the condition of the pull check contain no secret', async () => {
  const finding = await prove(proofOf(image));
  const record = await readFile(join(root, 'run/slipway/pull-proof.json'), 'utf8');
  const told = `${record} ${JSON.stringify(finding)}`;
  expect(world.azure.canaries().filter((canary) => told.includes(canary))).toEqual([]);
  expect(record).toContain('pulled at');
});

test('the pull check logs in and pulls nothing if the settings name no image', async () => {
  expect(await prove(proofOf())).toMatchObject({
    state: 'InSync',
    message: expect.stringMatching(/^logged in to team\.azurecr\.io at /),
  });
});

test('the pull check reports that a tag has moved to another digest', async () => {
  const manifests = /\/_manifests\//;
  const moved = { manifest: { digest: 'sha256:moved' } };
  registry.faults.fail({ status: 200, body: moved }, { on: manifests });
  expect(await prove(proofOf(image))).toMatchObject({
    message: expect.stringContaining('sha256:moved there, a moved tag'),
  });
});

interface Case extends Expected {
  readonly name: string;
  readonly arrange: () => unknown;
  readonly of?: string;
}

const withoutRole = () => world.azure.setRole('server', 'AcrPull', loginServer, false);

const cases: readonly Case[] = [
  {
    name: 'a removed role that the token service checks',
    arrange: withoutRole,
    reason: 'PullDenied',
    endedBy: 'person',
    says: /^The identity itself has no access either\..*AcrPull/,
  },
  {
    name: 'a removed role that the manifest request checks',
    arrange: () => {
      withoutRole();
      registry.roleCheckedAt = 'manifest';
    },
    reason: 'PullDenied',
    endedBy: 'person',
    says: /^The identity itself has no access either\..*AcrPull/,
  },
  {
    name: 'AcrPull at a registry that uses ABAC',
    arrange: () => {
      registry.mode = 'abac';
    },
    reason: 'PullDenied',
    endedBy: 'person',
    says: /Container Registry Repository Reader/,
  },
  {
    name: 'a password that the registry did not issue',
    arrange: () => keep('by-hand'),
    reason: 'PullCredentialRefused',
    // The next pass, a few seconds later, withdraws the login from kubelet.
    endedBy: 'time',
    says: /authentication required.*within ten minutes.*does see .*an older credential/,
  },
  {
    name: 'a firewall that blocks the address',
    arrange: () => {
      registry.closed = true;
    },
    reason: 'RegistryForbidden',
    endedBy: 'person',
    says: /not allowed access.*subnet/,
  },
  {
    name: 'a missing image',
    arrange: () => {},
    of: `${loginServer}/hello/nobody:1`,
    reason: 'ProofImageNotFound',
    endedBy: 'person',
    says: /hello\/nobody:1.*registries\.proof/,
  },
  {
    name: 'storage that refuses this address',
    arrange: () => {
      registry.storage.closed = true;
    },
    reason: 'StorageUnreachable',
    endedBy: 'person',
    says: /from weumanaged\d+\.blob\.core\.windows\.net, which answers 403/,
  },
  {
    name: 'storage that cuts the connection',
    arrange: () => registry.storage.faults.fail('reset'),
    reason: 'StorageUnreachable',
    endedBy: 'time',
    says: /blob\.core\.windows\.net, which cannot be reached.*private endpoint/,
  },
  {
    name: 'throttling',
    arrange: () => registry.faults.fail({ status: 429, headers: { 'retry-after': '9' } }, { on: /token/ }),
    reason: 'Throttled',
    endedBy: 'time',
    after: 9_000,
  },
  {
    name: 'an error of the registry',
    arrange: () => registry.faults.fail({ status: 503 }),
    reason: 'RegistryUnavailable',
    endedBy: 'time',
  },
];

describe('a failed pull check', () => {
  test.each(cases)(
    'is reported with a reason and a remedy: $name',
    async ({ arrange, of = image, ...expected }) => {
      await arrange();
      await expectFailure(prove(proofOf(of)), expected);
    },
  );
});

test('the pull check reports a certificate of an unknown CA as TlsUntrusted', async () => {
  const finding = await proofOf(image).check(host);
  const stranger = nodeHost({ proxy: world.azure.proxyUrl });
  const remedy = finding.state === 'Drifted' ? finding.drift.remedy(stranger) : Promise.resolve();
  await expectFailure(remedy, { reason: 'TlsUntrusted', endedBy: 'person', says: /network\.caFile/ });
});
