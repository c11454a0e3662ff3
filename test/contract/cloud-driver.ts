/** @module The contract of a cloud that its driver makes. */
import { isIP } from 'node:net';
import { expect, test } from 'vitest';
import type { CloudDriver, Metadata } from '../../src/agent/clouds/driver.ts';
import { metadataOf } from '../../src/agent/clouds/metadata.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import type { Host, HttpRequest, HttpResponse, HttpSend } from '../../src/agent/engine/host.ts';
import { cloudContract, type DrivenWorld } from './cloud.ts';
import { type DrivenCloud, type MetadataFailure, metadataTests } from './cloud-metadata.ts';

/**
 * Checks the Cloud contract for a cloud that its driver makes, and the driver's declarations against the cloud's
 * behaviour.
 */
export function driverContract<Settings extends object>(
  name: string,
  driver: CloudDriver,
  start: () => Promise<DrivenWorld<Settings>> | DrivenWorld<Settings>,
): void {
  cloudContract(
    name,
    async () => drivenCloud(driver, await start()),
    (world) => {
      recordTests(world);
      endpointTests(world);
      metadataTests(world);
    },
  );
}

/** Checks what a driver declares about tags, and the identity's interface against the addresses of the machine. */
function recordTests(world: () => DrivenCloud): void {
  test('the driver says whether a VM has tags, and whether they come from the settings', async () => {
    const { cloud, tags } = world();
    const hasTags = Object.keys((await cloud.identity()).tags).length > 0;
    expect({ hasTags, areInSettings: tags.areInSettings }).toEqual({
      hasTags: tags.from !== 'absent',
      areInSettings: tags.from === 'settings',
    });
  });

  test('the driver says whether the cloud announces interruptions', () => {
    const { cloud, announces } = world();
    expect(cloud.events !== undefined).toBe(announces !== 'absent');
  });

  test("the identity names the interface of an address that is not on the default route's interface", async () => {
    const { cloud, addresses } = world();
    const identity = await cloud.identity();
    const own = addresses.find(({ address }) => address === identity.address);
    // Proves that the machine has this address; otherwise any interface would pass.
    expect(own?.address).toBe(identity.address);
    const allowed = own?.hasDefaultRoute ? [undefined, own.interface] : [own?.interface];
    expect(allowed).toContain(identity.interface);
  });
}

/** Checks the endpoints that a cloud lists against the requests that it sends. */
function endpointTests(world: () => DrivenCloud): void {
  test('the endpoints include the host of every request, except the metadata service and registries', async () => {
    const { cloud, registry, foreignRegistry, setSecret, toServices } = world();
    await setSecret('k3s-token', 'a-token');
    await cloud.secret('k3s-token');
    await cloud.secretVersion('k3s-token');
    await cloud.formerSecret('k3s-token');
    await cloud.registryPassword(registry);
    const asked = toServices().map(({ url }) => new URL(url).host);
    const others = asked.filter((host) => ![registry, foreignRegistry].includes(host));
    const named = (await cloud.endpoints()).map(({ host }) => host);
    expect([...named].sort()).toEqual([...new Set(others)].sort());
  });
}

function drivenCloud<Settings extends object>(
  driver: CloudDriver,
  { ground, ...world }: DrivenWorld<Settings>,
): DrivenCloud {
  const services = metadataOf(driver, ground.settings);
  const isDeclared = ({ url }: HttpRequest) => services.some((service) => isAt(service, new URL(url)));
  const asked: HttpRequest[] = [];
  let failure: MetadataFailure | undefined;
  const intercept = (request: HttpRequest) => {
    asked.push(request);
    return failure !== undefined && isDeclared(request) ? failed(failure) : undefined;
  };
  return {
    ...world,
    cloud: driver.create({ ...ground, host: intercepted(ground.host, intercept) }),
    addresses: ground.machine.addresses(),
    tags: { from: driver.tags, areInSettings: Object.hasOwn(ground.settings, 'tags') },
    announces: driver.events,
    hasMetadata: services.length > 0,
    toMetadata: () => asked.filter(isDeclared),
    toServices: () => asked.filter((request) => !isDeclared(request)),
    undeclared: () => asked.filter((request) => isForMetadata(request) && !isDeclared(request)),
    failMetadata: (next) => {
      failure = next;
    },
  };
}

/** True if the URL leads to this metadata service and, if only one port is guarded, to this port. */
function isAt({ address, only }: Metadata, { hostname, port, protocol }: URL): boolean {
  const usual = protocol === 'https:' ? 443 : 80;
  return hostname === address && (only === undefined || only.port === Number(port || usual));
}

/** True for plain http or an IP address; all other services have host names and use TLS. */
function isForMetadata({ url }: HttpRequest): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
}

/** Returns the answer of a failing service; for `silence`, throws what a real Host throws after its timeout. */
function failed(failure: MetadataFailure): HttpResponse {
  if (failure === 'silence') {
    throw new NodeError('TimedOut', 'The service did not answer.');
  }
  return { headers: {}, body: '', ...failure };
}

/** Returns a host that sends a request only if `intercept` returns no answer for it. */
function intercepted(host: Host, intercept: (request: HttpRequest) => HttpResponse | undefined): Host {
  const heard = {
    async get(request: HttpRequest) {
      return intercept(request) ?? host.get(request);
    },
    async send(request: HttpSend) {
      return intercept(request) ?? host.send(request);
    },
  };
  return new Proxy(host, {
    get(target, key) {
      const member = Reflect.get(heard, key) ?? Reflect.get(target, key, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
