import * as z from 'zod/mini';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader, HttpResponse } from '../../engine/host.ts';
import { readJson } from '../../engine/json.ts';
import type { Identity } from '../cloud.ts';
import { askMetadata } from '../metadata-request.ts';
import { primaryAddress } from '../primary-address.ts';
import { arcRemark } from './arc.ts';

/** What the metadata service reports about this VM. */
export interface InstanceMetadata {
  readonly identity: Identity;
  /** The name of the VM in Azure, by which events name it; it can differ from the computer name. */
  readonly name: string;
  /** True for a Spot VM, which Azure can take away at short notice. */
  readonly isSpot: boolean;
  /** The name of the Azure cloud, as the service spells it; empty if the service gives none. */
  readonly azEnvironment: string;
}

const serviceAddress = '169.254.169.254';

/**
 * Reads the instance metadata with one request of at most five seconds; if the VM has several addresses, also runs `ip
 * route`.
 *
 * Throws the errors of `askMetadata`, and `UnexpectedAnswer` for an invalid document. Source: "Azure Instance Metadata
 * Service for virtual machines": requests must bypass proxies; 404, 410, 429 and 5xx are temporary, other errors are
 * not.
 */
export async function instanceMetadata(host: HostReader, endpoint: string): Promise<InstanceMetadata> {
  const response = await askMetadata(host, {
    url: `${endpoint.replace(/\/+$/, '')}/metadata/instance?api-version=2021-02-01`,
    headers: { Metadata: 'true' },
    cloud: 'Azure',
    setting: 'azure.imdsEndpoint',
    remark: () => arcRemark(host),
  });
  const { compute, network } = parsedInstance(response, endpoint);
  return {
    name: compute.name,
    isSpot: compute.priority?.toLowerCase() === 'spot',
    azEnvironment: compute.azEnvironment ?? '',
    identity: {
      computerName: compute.osProfile?.computerName || compute.name,
      vmId: compute.vmId,
      location: compute.location ?? '',
      address: await primaryAddress(host, addressesOf(network), serviceAddress),
      tags: Object.fromEntries(
        (compute.tagsList ?? []).map(({ name, value }) => [name.toLowerCase(), value]),
      ),
    },
  };
}

type InstanceDocument = z.output<typeof instanceDocument>;

const text = z.nullish(z.string());
const tag = z.object({ name: z.string(), value: z.string() });
const address = z.object({ privateIpAddress: z.optional(z.unknown()) });
const nic = z.object({ ipv4: z.nullish(z.object({ ipAddress: z.nullish(z.array(address)) })) });

/** The part of the answer that Slipway reads. Only the VM's name and id are required. */
const instanceDocument = z.object({
  compute: z.object({
    name: z.string(),
    vmId: z.string(),
    location: text,
    azEnvironment: text,
    priority: text,
    osProfile: z.nullish(z.object({ computerName: text })),
    tagsList: z.nullish(z.array(tag)),
  }),
  network: z.nullish(z.object({ interface: z.nullish(z.array(nic)) })),
});

function parsedInstance({ body }: HttpResponse, endpoint: string): InstanceDocument {
  const { success, data, error } = readJson(instanceDocument, body);
  if (success) {
    return data;
  }
  const place = error.issues[0]?.path.join('.') || 'the whole';
  throw new NodeError(
    'UnexpectedAnswer',
    `What answers at ${endpoint} is not the instance metadata service: ${place} of its answer is missing or of another kind. ` +
      'Check azure.imdsEndpoint, or set cloud to static.',
  );
}

function addressesOf(network: InstanceDocument['network']): readonly unknown[] {
  return (network?.interface ?? [])
    .flatMap((each) => each.ipv4?.ipAddress ?? [])
    .map(({ privateIpAddress }) => privateIpAddress);
}
