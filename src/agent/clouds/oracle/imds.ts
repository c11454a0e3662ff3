import * as z from 'zod/mini';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { jsonFault, readJson } from '../../engine/json.ts';
import type { Identity } from '../cloud.ts';
import { primaryAddress } from '../primary-address.ts';
import { readMetadata } from './imds-request.ts';
import { identityTags } from './tags.ts';

/** The region of a VM and the domain of its realm, from which the addresses of all services follow. */
export interface Place {
  /** The full name of the region, such as `eu-frankfurt-1`. */
  readonly region: string;
  /** The domain of the realm, such as `oraclecloud.com`. */
  readonly domain: string;
}

/** What the metadata service reports about this VM. */
export interface InstanceMetadata {
  readonly identity: Identity;
  readonly place: Place;
}

export interface MetadataOptions {
  readonly imdsEndpoint: string;
  readonly tagNamespace?: string | undefined;
  /** The computer name to use if the metadata service does not report one. */
  readonly hostname: string;
}

/**
 * Reads the instance metadata with two requests of at most five seconds each; if the VM has several addresses, also
 * runs `ip route`.
 *
 * Throws `IdentityUnavailable`, `Throttled`, `UnexpectedAnswer`. Source: docs.oracle.com, "Getting Instance Metadata",
 * version 2. `region` is a short code in the oldest regions, so only `canonicalRegionName` is read. `displayName` is
 * free text, which may not be a valid node name.
 */
export async function instanceMetadata(
  host: HostReader,
  { imdsEndpoint, tagNamespace, hostname }: MetadataOptions,
): Promise<InstanceMetadata> {
  const vm = parsed(instanceDocument, await readMetadata(host, imdsEndpoint, 'instance/'), imdsEndpoint);
  const vnics = parsed(vnicList, await readMetadata(host, imdsEndpoint, 'vnics/'), imdsEndpoint);
  return {
    place: { region: vm.canonicalRegionName, domain: vm.regionInfo.realmDomainComponent },
    identity: {
      computerName: vm.hostname || hostname,
      vmId: vm.id,
      location: vm.canonicalRegionName,
      address: await primaryAddress(
        host,
        vnics.map(({ privateIp }) => privateIp),
        new URL(imdsEndpoint).hostname,
      ),
      tags: identityTags(vm, tagNamespace),
    },
  };
}

const label = '[0-9a-z]([0-9a-z-]*[0-9a-z])?';
const tagValues = z.record(z.string(), z.unknown());

/**
 * The fields of the answer that Slipway reads. Region and domain become parts of host names, so their form is checked.
 */
const instanceDocument = z.object({
  id: z.string(),
  hostname: z.nullish(z.string()),
  canonicalRegionName: z.string().check(z.regex(new RegExp(`^${label}$`))),
  regionInfo: z.object({
    realmDomainComponent: z.string().check(z.regex(new RegExp(`^${label}(\\.${label})+$`))),
  }),
  freeformTags: z.nullish(tagValues),
  definedTags: z.nullish(z.record(z.string(), tagValues)),
});

const vnicList = z.array(z.object({ privateIp: z.optional(z.unknown()) }));

function parsed<Schema extends z.ZodMiniType>(
  schema: Schema,
  body: string,
  endpoint: string,
): z.output<Schema> {
  const { success, data, error } = readJson(schema, body);
  if (success) {
    return data;
  }
  throw new NodeError(
    'UnexpectedAnswer',
    `The service at ${endpoint} is not the instance metadata service of Oracle Cloud: in its answer ${jsonFault(error)}. ` +
      'Check oracle.imdsEndpoint, or set cloud to static.',
  );
}
