import * as z from 'zod/mini';
import { soonAfter } from '../../engine/backoff.ts';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader, HttpResponse } from '../../engine/host.ts';
import { readJson } from '../../engine/json.ts';
import { forPerson } from '../../engine/severity.ts';
import { quoted, refusalOf } from '../answers.ts';
import type { Identity } from '../cloud.ts';
import { primaryAddress } from '../primary-address.ts';
import { arcRemark } from './arc.ts';

/** What the metadata service reports about this VM. */
export interface InstanceMetadata {
  readonly identity: Identity;
  /** The name of the Azure cloud, as the service spells it; empty if the service gives none. */
  readonly azEnvironment: string;
}

const timeout = 5_000;
const serviceAddress = '169.254.169.254';

/**
 * Reads the instance metadata with one request of at most five seconds; if the VM has several addresses, also runs `ip
 * route`.
 *
 * Throws `IdentityUnavailable` while the service does not answer or answers 404, 410 or 5xx, `Throttled` for 429, and
 * otherwise `UnexpectedAnswer`. Source: "Azure Instance Metadata Service for virtual machines": requests must bypass
 * proxies; 404, 410, 429 and 5xx are temporary, other errors are not.
 */
export async function instanceMetadata(host: HostReader, endpoint: string): Promise<InstanceMetadata> {
  const response = await askMetadata(host, endpoint.replace(/\/+$/, ''));
  if (response.status !== 200) {
    throw metadataRefused(response, endpoint, host.now());
  }
  const { compute, network } = parsedInstance(response, endpoint);
  return {
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

async function askMetadata(host: HostReader, endpoint: string): Promise<HttpResponse> {
  const url = `${endpoint}/metadata/instance?api-version=2021-02-01`;
  try {
    return await host.get({ url, headers: { Metadata: 'true' }, timeout, direct: true });
  } catch (thrown) {
    if (!(thrown instanceof NodeError)) {
      throw thrown;
    }
    throw new NodeError(
      'IdentityUnavailable',
      `The instance metadata service does not answer yet: ${thrown.message}${await arcRemark(host)} ` +
        `${elsewhere}; in Azure check azure.imdsEndpoint and the firewall of this host.`,
      { cause: thrown },
    );
  }
}

const elsewhere = 'On a machine outside Azure set cloud to static (--cloud static --role server)';

function metadataRefused(response: HttpResponse, endpoint: string, now: number): NodeError {
  const { status } = response;
  const answer = `The instance metadata service at ${endpoint} answers ${status}.`;
  if (status === 429) {
    return new NodeError('Throttled', `${answer} It is asked again in a moment.`, {
      retry: soonAfter(response, now),
    });
  }
  if (status === 404 || status === 410 || status >= 500) {
    return new NodeError(
      'IdentityUnavailable',
      `${answer} In Azure that passes, and it is asked again. ${elsewhere}.`,
      {
        retry: soonAfter(response, now),
      },
    );
  }
  const { code, message } = refusalOf(response);
  return metadataUnexpected(
    `${answer}${quoted(message || code)} ${elsewhere}; in Azure check that azure.imdsEndpoint is right and that nothing on the way adds headers.`,
  );
}

function metadataUnexpected(message: string): NodeError {
  return new NodeError('UnexpectedAnswer', message, forPerson);
}

type InstanceDocument = z.output<typeof instanceDocument>;

const text = z.nullish(z.string());
const tag = z.object({ name: z.string(), value: z.string() });
const address = z.object({ privateIpAddress: z.optional(z.unknown()) });
const nic = z.object({ ipv4: z.nullish(z.object({ ipAddress: z.nullish(z.array(address)) })) });

/** The part of an answer that Slipway reads; only the name and the id of the VM are mandatory. */
const instanceDocument = z.object({
  compute: z.object({
    name: z.string(),
    vmId: z.string(),
    location: text,
    azEnvironment: text,
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
