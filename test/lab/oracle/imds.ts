/**
 * The emulated metadata service (version 2) of one VM on Oracle Cloud.
 *
 * Models "Getting Instance Metadata" (docs.oracle.com, Compute/Tasks/gettingmetadata: the required header, the refused
 * forwarding headers) and the recorded documents in cloud-init's tests (tests/unittests/sources/test_oracle.py: the
 * fields, and no tag fields on a VM without tags). A request to version 1 gets a 404, as on a VM with
 * `areLegacyImdsEndpointsDisabled`.
 */
import { Faults, type Incoming, type LoggedRequest, type Reply, startLoopback } from '../azure/loopback.ts';
import type { Federation, InstanceFiles } from './federation.ts';

/** A VM as its metadata shows it. A test may change the writable fields while the server runs. */
export interface OracleVm {
  readonly name: string;
  readonly id: string;
  readonly compartment: string;
  hostname: string;
  region: string;
  domain: string;
  /** The private address of each interface, IPv4 or IPv6. */
  addresses: readonly string[];
  freeformTags: Record<string, string>;
  definedTags: Record<string, Record<string, string>>;
  identity: InstanceFiles;
}

export interface OracleImds {
  /** The URL that replaces http://169.254.169.254. */
  readonly url: string;
  readonly vm: OracleVm;
  readonly faults: Faults;
  stop(): Promise<void>;
}

export interface OracleImdsOptions {
  readonly vm: OracleVm;
  readonly federation: Federation;
  readonly log: LoggedRequest[];
}

export async function startOracleImds({ vm, federation, log }: OracleImdsOptions): Promise<OracleImds> {
  const faults = new Faults();
  const answer = (request: Incoming) => route(request, vm, federation.tenancy);
  const server = await startLoopback({ name: `imds ${vm.name}`, log, faults, answer });
  return { url: `http://127.0.0.1:${server.port}`, vm, faults, stop: () => server.stop() };
}

const forwarding = ['forwarded', 'x-forwarded-for', 'x-forwarded-host'];

function route({ method, url, headers }: Incoming, vm: OracleVm, tenancy: string): Reply {
  if (method !== 'GET' || !url.pathname.startsWith('/opc/v2/')) {
    return { status: 404, body: 'Not Found' };
  }
  if (headers.authorization !== 'Bearer Oracle') {
    return { status: 401, body: 'Unauthorized' };
  }
  if (forwarding.some((name) => headers[name] !== undefined)) {
    return { status: 403, body: 'Forbidden' };
  }
  const path = url.pathname.slice('/opc/v2/'.length);
  if (path === 'instance/') {
    return { status: 200, body: instance(vm, tenancy) };
  }
  if (path === 'vnics/') {
    return { status: 200, body: vm.addresses.map(vnic) };
  }
  const file = /^identity\/(cert|key|intermediate)\.pem$/.exec(path)?.[1];
  return file === undefined
    ? { status: 404, body: 'Not Found' }
    : { status: 200, body: vm.identity[`${file}.pem` as keyof InstanceFiles] };
}

function instance(vm: OracleVm, tenancy: string) {
  const { id, hostname, compartment, region, domain, freeformTags, definedTags } = vm;
  return {
    availabilityDomain: `Abcd:${region.toUpperCase()}-AD-1`,
    faultDomain: 'FAULT-DOMAIN-2',
    compartmentId: compartment,
    tenantId: tenancy,
    displayName: `The ${vm.name} (blue)`,
    hostname,
    id,
    image: 'ocid1.image.oc1..lab',
    // Old regions have a three-letter code here, which Slipway must not use.
    region: 'fra',
    canonicalRegionName: region,
    regionInfo: {
      realmKey: 'oc1',
      realmDomainComponent: domain,
      regionKey: 'FRA',
      regionIdentifier: region,
    },
    shape: 'VM.Standard.A1.Flex',
    shapeConfig: { ocpus: 2, memoryInGBs: 12 },
    state: 'Running',
    timeCreated: 1_790_000_000_000,
    ...(Object.keys(freeformTags).length > 0 && { freeformTags }),
    ...(Object.keys(definedTags).length > 0 && { definedTags }),
    metadata: { ssh_authorized_keys: 'ssh-ed25519 AAAA' },
  };
}

/**
 * Returns the metadata of an interface. For an IPv6 address, `privateIp` is missing, and `subnetCidrBlock` is the
 * string `<null>`.
 */
function vnic(address: string, index: number) {
  const isIPv4 = address.includes('.');
  return {
    vnicId: `ocid1.vnic.oc1..lab${index}`,
    vlanTag: 1039 + index,
    macAddr: `02:00:17:05:D1:0${index}`,
    ...(isIPv4
      ? { privateIp: address, virtualRouterIp: '10.0.2.1', subnetCidrBlock: '10.0.2.0/24' }
      : { ipv6Addresses: [address], subnetCidrBlock: '<null>' }),
  };
}
