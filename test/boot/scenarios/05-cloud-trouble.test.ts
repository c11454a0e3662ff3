import { utimesSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fault } from '../../lab/azure/loopback.ts';
import { type BootedHost, eventually } from '../booted-host.ts';
import { type Cluster, loginServer, startCluster, vaultName } from '../cluster.ts';
import { nodes, startsOf } from '../judge.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster();
  await cluster.powerOn();
  await cluster.ready();
});

afterAll(() => cluster?.stop());

/** A service, a host that needs the service, and the condition that reports a failure of the service. */
interface Service {
  readonly host: () => BootedHost;
  /**
   * The condition's reason while the service is unavailable, and its reason while the service gives an invalid answer.
   */
  readonly reasons: readonly [absent: string, odd: string];
  /** Makes the host need the service in the next pass. */
  readonly need: (host: BootedHost) => void;
  readonly door: string;
  readonly faults: () => { fail(fault: Fault): void; heal(): void };
  readonly condition: string;
}

const services: Readonly<Record<string, Service>> = {
  'Key Vault': {
    host: () => cluster.host('server'),
    // The daemon takes this file's modification time as the time of the last comparison with the vault.
    need: (host) => utimesSync(host.path('/var/lib/slipway/join-token'), 1, 1),
    door: `${vaultName}.vault.azure.net`,
    faults: () => cluster.azure.vault().faults,
    condition: 'JoinToken',
    reasons: ['VaultUnavailable', 'UnexpectedAnswer'],
  },
  'the registry': {
    host: () => cluster.host('agent'),
    need: (host) => {
      for (const path of ['/etc/rancher/k3s/registries.yaml', '/var/lib/slipway/logins.json']) {
        host.remove(path);
      }
    },
    door: loginServer,
    faults: () => cluster.azure.registry().faults,
    condition: 'Registries',
    reasons: ['RegistryUnavailable', 'UnexpectedAnswer'],
  },
  'the metadata service': {
    host: () => cluster.host('observability'),
    need: () => {},
    door: 'imds observability',
    faults: () => cluster.azure.node('observability').faults,
    condition: 'Identity',
    reasons: ['IdentityUnavailable', 'UnexpectedAnswer'],
  },
};

type Trouble = 'gone' | Fault;

const troubles: Readonly<Record<string, Trouble>> = {
  'is gone': 'gone',
  hangs: 'hang',
  'answers 500': {
    status: 500,
    body: { error: { code: 'InternalServerError', message: 'An internal error' } },
  },
  'answers 429': { status: 429, body: { error: { code: 'Throttled', message: 'Too many requests' } } },
  'answers 410': { status: 410, body: { error: 'Gone' } },
  'answers garbage': 'garbage',
};

describe.concurrent.each(Object.entries(services))('a node that needs %s', (name, service) => {
  test('reports every failure, stays Ready, recovers afterwards, and tolerates slow answers', async () => {
    for (const [what, trouble] of Object.entries(troubles)) {
      await toldAndHealed(service, trouble).catch((thrown: unknown) => {
        throw new Error(`${name} ${what}: ${thrown instanceof Error ? thrown.message : thrown}`);
      });
    }
    await goesOnSlowly(service);
  });
});

test('during all failures no node was lost, and K3s was not restarted', async () => {
  expect(Object.values(nodes(cluster))).toEqual(['True', 'True', 'True']);
  for (const host of cluster.hosts) {
    expect(await startsOf(host, host.k3sUnit)).toBe(1);
  }
});

async function toldAndHealed(service: Service, trouble: Trouble): Promise<void> {
  const { condition } = service;
  const [absent, odd] = service.reasons;
  const reasons = trouble === 'garbage' ? [odd] : throttles(trouble) ? ['Throttled'] : [absent];
  const host = service.host();
  inflict(service, trouble);
  service.need(host);
  await host.reload();
  await eventually(`${condition} to report it`, () => host.condition(condition)?.status !== 'True');
  const { reason, message } = host.condition(condition) ?? expect.fail(`There is no ${condition}.`);
  expect(reasons, message).toContain(reason);
  expect(host.condition('Ready')?.status, 'Ready').toBe('True');
  expect(nodes(cluster)[`vm-${host.name}`], 'the node').toBe('True');
  heal(service);
  await eventually('all to heal', () => host.condition(condition)?.status === 'True' && host.isReady());
}

async function goesOnSlowly(service: Service): Promise<void> {
  const host = service.host();
  service.faults().fail('slow');
  service.need(host);
  const since = Date.now();
  await host.reload();
  await eventually('Ready, slowly', () => host.isReady(since));
  heal(service);
}

function throttles(trouble: Trouble): boolean {
  return typeof trouble === 'object' && trouble.status === 429;
}

function inflict({ door, faults }: Service, trouble: Trouble): void {
  if (trouble === 'gone') {
    cluster.door.open(door, false);
  } else {
    faults().fail(trouble);
  }
}

function heal({ door, faults }: Service): void {
  cluster.door.open(door, true);
  faults().heal();
}
