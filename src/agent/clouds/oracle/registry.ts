import * as z from 'zod/mini';
import { soonAfter } from '../../engine/backoff.ts';
import { NodeError } from '../../engine/errors.ts';
import type { Host, HttpResponse } from '../../engine/host.ts';
import { parseJson } from '../../engine/json.ts';
import { Secret } from '../../engine/secret.ts';
import { forPerson } from '../../engine/severity.ts';
import { quoted, redirection, refusalOf } from '../answers.ts';
import type { RegistryPassword } from '../cloud.ts';
import { received } from '../jwt.ts';
import { registryTrouble, registryUnreachable } from '../registry-errors.ts';
import { oracleHints as hints } from './hints.ts';
import type { InstancePrincipal } from './identity.ts';
import { clockRemark } from './service-errors.ts';
import { signedRequest } from './signature.ts';

/** The user name that marks the password as a token (oracle-devrel/oke-credential-provider-for-ocir). */
export const registryUser = 'BEARER_TOKEN';

export interface RegistryOptions {
  readonly host: Host;
  readonly principal: InstancePrincipal;
}

/**
 * Returns a new token for a login server of Oracle's registry, valid for about an hour. After any answer except 200,
 * discards the token of the instance principal.
 *
 * Throws `RegistryUnauthorized`, `RegistryForbidden`, `RegistryNotFound`, `RegistryUnavailable`, `Throttled`,
 * `TlsUntrusted`, `UnexpectedAnswer`, and the errors of the instance principal and of the proxy login. Source:
 * oracle-devrel/oke-credential-provider-for-ocir (path and answer).
 */
export async function registryToken(
  { host, principal }: RegistryOptions,
  loginServer: string,
): Promise<RegistryPassword> {
  const request = { method: 'GET', url: `https://${loginServer}/20180419/docker/token` } as const;
  const response = await host
    .send(signedRequest(request, await principal.key(), host.now()))
    .catch((thrown: unknown) => {
      throw thrown instanceof NodeError
        ? registryUnreachable(thrown, { server: loginServer, hints })
        : thrown;
    });
  if (response.status !== 200) {
    principal.forget();
    throw tokenRefused(response, loginServer, host.now());
  }
  const found = parseJson(tokenAnswer, response.body);
  if (found === undefined) {
    throw new NodeError(
      'UnexpectedAnswer',
      `${loginServer} answers the request for a token with something else. Check that registries.servers names a registry of Oracle Cloud, such as fra.ocir.io.`,
    );
  }
  return withEnd(found, host.now());
}

const tokenAnswer = z.object({
  token: z.string().check(z.minLength(1)),
  /** The life of the token in seconds; Oracle Cloud sends 3600. */
  expires_in: z.catch(z.optional(z.number().check(z.positive(), z.maximum(31_536_000))), undefined),
});

/**
 * Returns the password with its expiry, which comes from `expires_in` or, failing that, from the token's own dates.
 * Without either, the password does not expire.
 */
function withEnd({ token, expires_in }: z.output<typeof tokenAnswer>, now: number): RegistryPassword {
  const password = new Secret(token);
  return expires_in === undefined ? received(password, now) : { password, until: now + expires_in * 1_000 };
}

function tokenRefused(response: HttpResponse, loginServer: string, now: number): NodeError {
  const { status } = response;
  const { code, message } = refusalOf(response);
  const says = quoted(message || code);
  if (status === 401 || status === 404) {
    return new NodeError(
      'RegistryUnauthorized',
      `${loginServer} does not accept the instance principal of this VM yet.${says}${clockRemark(response, now)} Put the VM into a dynamic group, and permit it: "Allow dynamic-group GROUP to read repos in compartment COMPARTMENT".`,
      { retry: soonAfter(response, now) },
    );
  }
  return (
    registryTrouble(response, { server: loginServer, hints }, now) ??
    new NodeError(
      'UnexpectedAnswer',
      `${loginServer} answers the request for a token with status ${status}.${says}${redirection(response, `https://${loginServer}`)} Check that registries.servers names a registry of Oracle Cloud.`,
      forPerson,
    )
  );
}
