/**
 * The emulated Instance Metadata Service of one VM: /metadata/instance, the managed identity token endpoint, and
 * scheduled events (scheduled-events.ts).
 *
 * Models "Azure Instance Metadata Service for virtual machines" (azure-compute-docs, instance-metadata-service.md:
 * headers, api-versions, error codes, rate limits, all primitives as strings) and "How to use managed identities on a
 * VM to acquire an access token" (entra-docs, how-to-use-vm-token.md). The two messages of the token endpoint,
 * `Identity not found` and `Multiple user assigned identities exist`, are taken from logs of real VMs.
 */
import type { AccessToken, Entra, Principal } from './entra.ts';
import {
  Faults,
  type Incoming,
  type LoggedRequest,
  type Loopback,
  type Reply,
  startLoopback,
} from './loopback.ts';
import type { ScheduledEvents } from './scheduled-events.ts';

export interface VmIdentity extends Principal {
  readonly kind: 'system' | 'user';
}

/** A VM as its metadata shows it; tests may change its fields while the server runs. */
export interface Vm {
  name: string;
  computerName: string;
  vmId: string;
  location: string;
  azEnvironment: string;
  /** `Spot` for a Spot VM, otherwise empty. */
  priority: '' | 'Spot';
  /** The network interfaces, each with its private addresses, in no guaranteed order. */
  interfaces: readonly (readonly string[])[];
  tags: Record<string, string>;
  identities: VmIdentity[];
}

export interface Imds {
  /** The URL that replaces http://169.254.169.254. */
  readonly url: string;
  readonly vm: Vm;
  readonly faults: Faults;
  /** True if the server answers requests beyond 5 a second, or 20 for tokens, with 429; false by default. */
  rateLimit: boolean;
  stop(): Promise<void>;
}

export interface ImdsOptions {
  readonly vm: Vm;
  readonly entra: Entra;
  readonly events: ScheduledEvents;
  readonly log: LoggedRequest[];
  readonly now: () => number;
  readonly port?: number | undefined;
}

const instanceVersions = [
  ...['2019-06-04', '2020-09-01', '2021-02-01', '2021-08-01', '2021-12-13', '2023-07-01', '2025-04-07'],
];
const tokenVersions = ['2018-02-01', '2019-08-01'];

export async function startImds({ vm, entra, events, log, now, port }: ImdsOptions): Promise<Imds> {
  const faults = new Faults();
  const seen: { readonly at: number; readonly kind: string }[] = [];
  const tooMany = (kind: 'instance' | 'identity') => {
    seen.push({ at: now(), kind });
    const limit = kind === 'identity' ? 20 : 5;
    return (
      imds.rateLimit && seen.filter((each) => each.kind === kind && each.at > now() - 1000).length > limit
    );
  };
  const answer = (request: Incoming) => route(request, vm, { entra, events }, tooMany);
  const server: Loopback = await startLoopback({ name: `imds ${vm.name}`, log, faults, answer, port });
  const imds: Imds = {
    url: `http://127.0.0.1:${server.port}`,
    vm,
    faults,
    rateLimit: false,
    stop: () => server.stop(),
  };
  return imds;
}

function route(
  request: Incoming,
  vm: Vm,
  { entra, events }: Pick<ImdsOptions, 'entra' | 'events'>,
  tooMany: (kind: 'instance' | 'identity') => boolean,
): Reply {
  const { method, url, headers } = request;
  const path = url.pathname.replace(/\/$/, '');
  const isAboutEvents = path === '/metadata/scheduledevents';
  if (method !== 'GET' && !isAboutEvents) {
    return { status: 405, body: { error: 'Method not allowed' } };
  }
  if (headers.metadata?.toLowerCase() !== 'true') {
    return { status: 400, body: { error: 'Bad request. Required metadata header not specified' } };
  }
  if (headers['x-forwarded-for'] !== undefined) {
    return { status: 400, body: { error: 'Bad request. X-Forwarded-For header is not allowed' } };
  }
  if (hasDuplicates(url.searchParams)) {
    return { status: 400, body: { error: 'Bad request. Duplicate query parameters are not allowed' } };
  }
  if (isAboutEvents) {
    return tooMany('instance') ? throttled : events.answer(request, vm.name);
  }
  if (path === '/metadata/identity/oauth2/token') {
    return tooMany('identity') ? throttled : token(url, vm, entra);
  }
  return tooMany('instance') ? throttled : metadata(path, url, vm);
}

const throttled: Reply = { status: 429, body: { error: 'Too many requests' } };

function hasDuplicates(query: URLSearchParams): boolean {
  const names = [...query.keys()];
  return new Set(names).size !== names.length;
}

function metadata(path: string, url: URL, vm: Vm): Reply {
  if (!instanceVersions.includes(url.searchParams.get('api-version') ?? '')) {
    return {
      status: 400,
      body: {
        error:
          'Bad request. api-version is invalid or was not specified in the request. For more information refer to aka.ms/azureimds',
        'newest-versions': instanceVersions.slice(-3).reverse(),
      },
    };
  }
  const document = instance(vm);
  if (path === '/metadata/instance') {
    return { status: 200, body: document };
  }
  if (path === '/metadata/instance/compute') {
    return { status: 200, body: document.compute };
  }
  if (path === '/metadata/instance/network') {
    return { status: 200, body: document.network };
  }
  return { status: 404, body: { error: 'Not found' } };
}

function instance(vm: Vm) {
  const subscription = '8d10da13-8125-4ba9-a717-bf7490507b3d';
  const tags = Object.entries(vm.tags);
  return {
    compute: {
      azEnvironment: vm.azEnvironment,
      customData: '',
      isHostCompatibilityLayerVm: 'false',
      location: vm.location,
      name: vm.name,
      offer: 'debian-12',
      osProfile: {
        adminUsername: 'azureuser',
        computerName: vm.computerName,
        disablePasswordAuthentication: 'true',
      },
      osType: 'Linux',
      placementGroupId: '',
      platformFaultDomain: '0',
      platformUpdateDomain: '0',
      priority: vm.priority,
      provider: 'Microsoft.Compute',
      publisher: 'Debian',
      resourceGroupName: 'slipway-lab',
      resourceId: `/subscriptions/${subscription}/resourceGroups/slipway-lab/providers/Microsoft.Compute/virtualMachines/${vm.name}`,
      sku: '12-gen2',
      subscriptionId: subscription,
      tags: tags.map(([name, value]) => `${name}:${value}`).join(';'),
      tagsList: tags.map(([name, value]) => ({ name, value })),
      version: '0.20261101.2000',
      vmId: vm.vmId,
      vmScaleSetName: '',
      vmSize: 'Standard_B2s',
      zone: '1',
    },
    network: { interface: vm.interfaces.map(networkInterface) },
  };
}

function networkInterface(addresses: readonly string[], index: number) {
  return {
    ipv4: {
      ipAddress: addresses.map((address) => ({ privateIpAddress: address, publicIpAddress: '' })),
      subnet: [{ address: '10.0.0.0', prefix: '16' }],
    },
    ipv6: { ipAddress: [] },
    macAddress: macAddress(addresses[0] ?? `0.0.0.${index}`),
  };
}

/**
 * Returns the MAC address of a network card: Microsoft's prefix, then the last three octets of the card's IP address.
 */
function macAddress(address: string): string {
  const octets = address.split('.').slice(1);
  return `000D3A${octets.map((octet) => Number(octet).toString(16).padStart(2, '0')).join('')}`.toUpperCase();
}

function token(url: URL, vm: Vm, entra: Entra): Reply {
  if (!tokenVersions.includes(url.searchParams.get('api-version') ?? '')) {
    return refused('invalid_request', "Required query variable 'api-version' is missing or unknown");
  }
  const resource = url.searchParams.get('resource');
  if (!resource) {
    return refused('invalid_request', "Required query variable 'resource' is missing");
  }
  const identity = choose(vm.identities, url.searchParams);
  if (typeof identity === 'string') {
    return refused('invalid_request', identity);
  }
  if (!entra.knows(resource)) {
    return refused(
      'invalid_resource',
      `AADSTS500011: The resource principal named ${resource} was not found in the tenant named ${entra.tenant}.`,
    );
  }
  return { status: 200, body: tokenBody(entra.issue(identity, resource), identity, resource) };
}

function choose(identities: readonly VmIdentity[], query: URLSearchParams): VmIdentity | string {
  const wanted = [
    ['client_id', 'clientId'],
    ['object_id', 'objectId'],
    ['msi_res_id', 'resourceId'],
  ] as const;
  for (const [parameter, field] of wanted) {
    const id = query.get(parameter);
    if (id !== null) {
      return identities.find((each) => each[field] === id) ?? 'Identity not found';
    }
  }
  const system = identities.find((each) => each.kind === 'system');
  if (system) {
    return system;
  }
  if (identities.length > 1) {
    return 'Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request';
  }
  return identities[0] ?? 'Identity not found';
}

function tokenBody({ token, issuedAt, expiresAt }: AccessToken, identity: VmIdentity, resource: string) {
  const lifetime = String(expiresAt - issuedAt);
  return {
    access_token: token,
    client_id: identity.clientId,
    expires_in: lifetime,
    expires_on: String(expiresAt),
    ext_expires_in: lifetime,
    not_before: String(issuedAt),
    resource,
    token_type: 'Bearer',
  };
}

function refused(error: string, description: string): Reply {
  return { status: 400, body: { error, error_description: description } };
}
