import type { KeyObject } from 'node:crypto';
import * as z from 'zod/mini';
import { NodeError } from '../../engine/errors.ts';
import type { Host, HttpResponse } from '../../engine/host.ts';
import { parseJson } from '../../engine/json.ts';
import type { Place } from './imds.ts';
import type { InstanceCertificates } from './instance-certificates.ts';
import { callRefused, callUnreachable } from './service-errors.ts';
import { signedRequest } from './signature.ts';

/**
 * Exchanges the certificate of this VM for a token that is bound to `publicKey`, with a request signed by the
 * certificate's key. Throws `InstancePrincipalUnavailable`, `InstancePrincipalRefused`, `Throttled`, `TlsUntrusted`,
 * `UnexpectedAnswer`, and the errors of the proxy login. Source: oci-go-sdk, common/auth (federation_client.go: path,
 * body, key id, signed headers).
 */
export async function requestToken(
  { host, place }: { readonly host: Host; readonly place: Place },
  { leaf, key, intermediates, tenancy }: InstanceCertificates,
  publicKey: KeyObject,
): Promise<string> {
  const name = identityService(place);
  const body = JSON.stringify({
    certificate: leaf.raw.toString('base64'),
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    intermediateCertificates: intermediates.map(({ raw }) => raw.toString('base64')),
    purpose: 'DEFAULT',
  });
  const request = { method: 'POST', url: `https://${name}/v1/x509`, body } as const;
  const signer = { keyId: `${tenancy}/fed-x509/${leaf.fingerprint}`, privateKey: key };
  const service = { name, unavailable: 'InstancePrincipalUnavailable' } as const;
  const response = await host
    .send(signedRequest(request, signer, host.now()))
    .catch((thrown: unknown) => callUnreachable(thrown, service));
  if (response.status !== 200) {
    throw callRefused(response, service, host.now());
  }
  return tokenIn(response, name);
}

/** Returns the host name of the service that issues tokens for the instance principal in the region of this VM. */
export function identityService({ region, domain }: Place): string {
  return `auth.${region}.${domain}`;
}

/**
 * Returns the token in an answer. Throws `UnexpectedAnswer` if the token is missing or does not have the form of a JWT,
 * because the token becomes part of a header.
 */
function tokenIn({ body }: HttpResponse, name: string): string {
  const token = parseJson(answer, body)?.token;
  if (token !== undefined) {
    return token;
  }
  throw new NodeError(
    'UnexpectedAnswer',
    `${name} answers the request for a token with something else. Check network.proxy and what it answers.`,
  );
}

/** The form of a JWT (RFC 7519), three parts in base64url, with a length that fits into a header. */
const answer = z.object({ token: z.string().check(z.maxLength(16_384), z.regex(/^[\w-]+(\.[\w-]+){2}$/)) });
