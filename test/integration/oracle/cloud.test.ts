import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cloud } from '../../../src/agent/clouds/cloud.ts';
import { readRepos } from '../../lab/oracle/registry.ts';
import { readSecret } from '../../lab/oracle/vault.ts';
import { type Expected, expectFailure, loginServer, secret, startWorld, type World } from './world.ts';

let world: World;
/** The cloud that tests share; its token stays cached between tests. */
let cloud: Cloud;
beforeAll(async () => {
  world = await startWorld();
  cloud = world.cloud();
});
beforeEach(() => {
  const { oracle } = world;
  world.ahead = 0;
  for (const faults of [oracle.node('server').faults, ...Object.values(oracle.faults)]) {
    faults.heal();
  }
  oracle.vault.delete('k3s-token');
  oracle.vault.set('k3s-token', secret);
  oracle.permit('server', readSecret('k3s-token'));
  oracle.permit('server', readRepos);
});
afterAll(() => world.oracle.stop());

/**
 * Makes a call; resolves to the requests that the call causes, each as `server status path`, without requests to the
 * proxy.
 */
async function requestsOf(call: () => Promise<unknown>): Promise<readonly string[]> {
  const before = world.oracle.requests.length;
  await call();
  const seen = world.oracle.requests.slice(before).filter(({ server }) => server !== 'proxy');
  return seen.map(({ server, status, path }) => `${server} ${status} ${path}`);
}

describe('the token of the instance principal', () => {
  const federation = 'federation 200 /v1/x509';
  const bundle = 'vault 200 /20190301/secretbundles/actions/getByName';

  test('is requested once, with the current certificate, and used until two thirds of its life have passed', async () => {
    const fresh = world.cloud();
    const first = await requestsOf(() => fresh.secret('k3s-token'));
    expect([...first].sort()).toEqual([
      federation,
      'imds server 200 /opc/v2/identity/cert.pem',
      'imds server 200 /opc/v2/identity/intermediate.pem',
      'imds server 200 /opc/v2/identity/key.pem',
      'imds server 200 /opc/v2/instance/',
      'imds server 200 /opc/v2/vnics/',
      bundle,
    ]);
    expect(await requestsOf(() => fresh.secret('k3s-token'))).toEqual([bundle]);
    const { vm } = world.oracle.node('server');
    vm.identity = world.oracle.federation.certify(vm);
    world.elapsed += 13 * 60_000;
    expect(await requestsOf(() => fresh.secret('k3s-token'))).toEqual([bundle]);
    world.elapsed += 60_000;
    const later = await requestsOf(() => fresh.secret('k3s-token'));
    expect(later.slice(-2)).toEqual([federation, bundle]);
    expect(later.filter((each) => each.includes('identity'))).toHaveLength(3);
  });

  test('is replaced after the vault refuses a read, so that a new policy takes effect', async () => {
    world.oracle.permit('server', readSecret('k3s-token'), false);
    const fresh = world.cloud();
    await expectFailure(fresh.secret('k3s-token'), { reason: 'SecretNotVisible' });
    world.oracle.permit('server', readSecret('k3s-token'));
    expect((await fresh.secret('k3s-token')).reveal()).toBe(secret);
  });

  test('is requested once for concurrent calls', async () => {
    const fresh = world.cloud();
    const calls = () => Promise.all([fresh.secret('k3s-token'), fresh.registryPassword(loginServer)]);
    const seen = await requestsOf(calls);
    expect(seen.filter((each) => each === federation)).toHaveLength(1);
  });
});

interface Case extends Expected {
  readonly name: string;
  readonly arrange: () => void;
  readonly call?: () => Promise<unknown>;
}

const { faults, vm, certify } = {
  faults: () => world.oracle.faults,
  vm: () => world.oracle.node('server').vm,
  certify: (life?: number) => world.oracle.federation.certify(world.oracle.node('server').vm, life),
};

const principalCases: readonly Case[] = [
  {
    name: 'a clock that is ten minutes ahead',
    arrange: () => {
      world.ahead = 600_000;
    },
    reason: 'InstancePrincipalRefused',
    says: /60\d s ahead of its clock.*timedatectl/,
  },
  {
    name: 'an expired certificate',
    arrange: () => Object.assign(vm(), { identity: certify(-1_000) }),
    reason: 'InstancePrincipalRefused',
  },
  {
    name: 'a key of another certificate',
    arrange: () => Object.assign(vm(), { identity: { ...certify(), 'key.pem': certify()['key.pem'] } }),
    reason: 'InstancePrincipalUnavailable',
    says: /cannot be used together/,
  },
  {
    name: 'an invalid certificate',
    arrange: () => Object.assign(vm(), { identity: { ...certify(), 'cert.pem': 'canary' } }),
    reason: 'InstancePrincipalUnavailable',
  },
  {
    name: 'an error of the token service',
    arrange: () => faults().federation.fail({ status: 503, headers: { 'retry-after': '5' } }),
    reason: 'InstancePrincipalUnavailable',
    after: 5_000,
    says: /auth\.eu-frankfurt-1\.oraclecloud\.com answers 503/,
  },
  {
    name: 'a silent token service',
    arrange: () => faults().federation.fail('hang'),
    reason: 'InstancePrincipalUnavailable',
    says: /did not answer/,
  },
  {
    name: 'an answer whose token is not a JWT',
    arrange: () => faults().federation.fail({ status: 200, body: { token: 'a b"\r\nx: canary' } }),
    reason: 'UnexpectedAnswer',
  },
  {
    name: 'an answer with a token that is too long for a header',
    arrange: () => faults().federation.fail({ status: 200, body: { token: `a.b.${'c'.repeat(20_000)}` } }),
    reason: 'UnexpectedAnswer',
  },
  {
    name: 'a 401 answer from a proxy',
    arrange: () => faults().federation.fail({ status: 401, body: '<html>Log in</html>' }),
    reason: 'UnexpectedAnswer',
    endedBy: 'person',
    says: /network\.proxy/,
  },
];

describe('a failure of the instance principal', () => {
  test.each(principalCases)(
    'is reported with a reason and a remedy: $name',
    async ({ arrange, ...expected }) => {
      Object.assign(vm(), { identity: certify() });
      arrange();
      await expectFailure(world.cloud().secret('k3s-token'), expected);
      Object.assign(vm(), { identity: certify() });
    },
  );
});

const notVisible = { status: 404, body: { code: 'NotFound', message: 'no such path' } };
const vaultCases: readonly Case[] = [
  {
    name: 'a missing secret',
    arrange: () => world.oracle.vault.delete('k3s-token'),
    reason: 'SecretNotVisible',
    says: /"k3s-token".*or this VM may not read it.*target\.secret\.name = 'k3s-token'/,
  },
  {
    name: 'a missing policy',
    arrange: () => world.oracle.permit('server', readSecret('k3s-token'), false),
    call: () => world.cloud().secret('k3s-token'),
    reason: 'SecretNotVisible',
  },
  {
    name: 'settings with the id of another vault',
    arrange: () => {},
    call: () => world.cloud({ vault: { id: 'ocid1.vault.oc1.eu-frankfurt-1.x.y' } }).secret('k3s-token'),
    reason: 'SecretNotVisible',
    says: /ocid1\.vault\.oc1\.eu-frankfurt-1\.x\.y.*oracle\.vault\.id/,
  },
  {
    name: 'settings without a vault',
    arrange: () => {},
    call: () => world.cloud({ vault: {} }).secret('k3s-token'),
    reason: 'VaultNotConfigured',
    endedBy: 'person',
    says: /oracle\.vault\.id/,
  },
  {
    name: 'a secret that is about to be deleted',
    arrange: () => world.oracle.vault.scheduleDeletion('k3s-token'),
    reason: 'SecretDisabled',
    endedBy: 'person',
    says: /PENDING_DELETION/,
  },
  {
    name: 'a 404 answer from another server',
    arrange: () => faults().vault.fail(notVisible),
    reason: 'UnexpectedAnswer',
    endedBy: 'person',
  },
  {
    name: 'throttling',
    arrange: () => faults().vault.fail({ status: 429, headers: { 'retry-after': '7' } }),
    reason: 'Throttled',
    after: 7_000,
  },
  {
    name: 'an error of the vault',
    arrange: () => faults().vault.fail({ status: 500, body: { code: 'InternalError', message: 'oops' } }),
    reason: 'VaultUnavailable',
    says: /oops/,
  },
  {
    name: 'a cut connection',
    arrange: () => faults().vault.fail('reset'),
    reason: 'VaultUnavailable',
    says: /secrets\.vaults\.eu-frankfurt-1\.oci\.oraclecloud\.com.*gateway/,
  },
  {
    name: 'an HTML page with the status 200',
    arrange: () => faults().vault.fail('garbage'),
    reason: 'UnexpectedAnswer',
  },
  {
    name: 'a redirect',
    arrange: () => faults().vault.fail({ status: 302, headers: { location: 'https://evil.example/' } }),
    reason: 'UnexpectedAnswer',
    endedBy: 'person',
    says: /evil\.example, and nothing was sent there/,
  },
];

describe('a failed read of a secret', () => {
  test.each(vaultCases)(
    'is reported with a reason and a remedy: $name',
    async ({ arrange, call, ...expected }) => {
      arrange();
      await expectFailure(call?.() ?? cloud.secret('k3s-token'), expected);
    },
  );
});

describe('the version of a secret', () => {
  test('is undefined before the first read of the secret, and if no policy allows access', async () => {
    const fresh = world.cloud();
    expect(await fresh.secretVersion('k3s-token')).toBeUndefined();
    await fresh.secret('k3s-token');
    expect(await fresh.secretVersion('k3s-token')).toMatch(/ 1$/);
    faults().vault.fail({ status: 404, body: { code: 'NotAuthorizedOrNotFound', message: 'no' } });
    expect(await fresh.secretVersion('k3s-token')).toBeUndefined();
  });
});

describe('a password of a registry', () => {
  test('is a new token for each call, and expires when the registry says', async () => {
    world.oracle.registry().tokenLifetime = 1_800_000;
    const [first, second] = [
      await cloud.registryPassword(loginServer),
      await cloud.registryPassword(loginServer),
    ];
    expect(first.password.reveal()).not.toBe(second.password.reveal());
    const life = (second.until ?? 0) - world.host.now();
    expect(life).toBeGreaterThan(1_700_000);
    expect(life).toBeLessThanOrEqual(1_800_000);
    expect(cloud.registryUser(loginServer)).toBe('BEARER_TOKEN');
  });

  test.each(['ghcr.io', 'ocir.io', 'fra.ocir.io.evil.example', 'evilocir.io', 'x.oraclecloud.com'])(
    'is not requested from %s, which is outside the cloud',
    async (server) => {
      const call = () =>
        expectFailure(cloud.registryPassword(server), { reason: 'ForeignHost', endedBy: 'person' });
      expect(await requestsOf(call)).toEqual([]);
    },
  );

  test('is refused as RegistryUnauthorized if no policy allows access to repositories', async () => {
    world.oracle.permit('server', readRepos, false);
    await expectFailure(world.cloud().registryPassword(loginServer), {
      reason: 'RegistryUnauthorized',
      says: /fra\.ocir\.io.*read repos/,
    });
  });
});

test.each([
  ['401', { status: 401 }, { reason: 'UnexpectedAnswer', endedBy: 'person' }],
  ['404', { status: 404 }, { reason: 'IdentityUnavailable' }],
  ['429', { status: 429, headers: { 'retry-after': '3' } }, { reason: 'Throttled', after: 3_000 }],
  ['503', { status: 503 }, { reason: 'IdentityUnavailable' }],
  ['a cut connection', 'reset', { reason: 'IdentityUnavailable', says: /static/ }],
  ['200 with an HTML page', 'garbage', { reason: 'UnexpectedAnswer' }],
] as const)(
  'a failed request to the metadata service is reported with a reason and a remedy: %s',
  async (_what, fault, expected) => {
    world.oracle.node('server').faults.fail(fault);
    await expectFailure(world.cloud().identity(), expected);
  },
);
