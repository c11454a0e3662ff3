import type { TokenCredential } from '@azure/identity';
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
import { azureHints as hints } from './hints.ts';

/** The user name that marks a password as a token ("Authenticate with Azure Container Registry"). */
export const registryUser = '00000000-0000-0000-0000-000000000000';

export interface RegistryOptions {
  readonly host: Host;
  readonly credential: TokenCredential;
  /** The audience of registry tokens: `https://containerregistry.azure.net` in every Azure cloud. */
  readonly audience: string;
}

/**
 * Returns a new refresh token that a container registry issues to the VM's identity: a JWT that expires after about
 * three hours.
 *
 * Throws `RegistryUnauthorized`, `RegistryForbidden`, `RegistryNotFound`, `RegistryUnavailable`, `Throttled`,
 * `TlsUntrusted`, `UnexpectedAnswer`, and the errors of the identity and of the proxy login. Source:
 * github.com/Azure/acr, docs/AAD-OAuth.md, "Calling POST /oauth2/exchange".
 */
export async function registryToken(
  options: RegistryOptions,
  loginServer: string,
): Promise<RegistryPassword> {
  const { host, credential, audience } = options;
  const access = await credential.getToken(`${audience.replace(/\/+$/, '')}/.default`);
  const response = await exchange(host, loginServer, access?.token ?? '');
  if (response.status !== 200) {
    throw refused(response, loginServer, host.now());
  }
  const token = received(new Secret(refreshTokenOf(response) ?? ''), host.now());
  if (token.until !== undefined) {
    return token;
  }
  throw new NodeError(
    'UnexpectedAnswer',
    `${loginServer} answered the token exchange with something else than a refresh token. Check that registries.servers names an Azure container registry.`,
  );
}

async function exchange(host: Host, loginServer: string, accessToken: string): Promise<HttpResponse> {
  const form = { grant_type: 'access_token', service: loginServer, access_token: accessToken };
  try {
    return await host.send({
      method: 'POST',
      url: `https://${loginServer}/oauth2/exchange`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new Secret(new URLSearchParams(form).toString()),
    });
  } catch (thrown) {
    throw thrown instanceof NodeError ? registryUnreachable(thrown, { server: loginServer, hints }) : thrown;
  }
}

function refused(response: HttpResponse, loginServer: string, now: number): NodeError {
  const { status } = response;
  const { code, message } = refusalOf(response);
  const says = quoted(message || code);
  if (status === 401) {
    return new NodeError(
      'RegistryUnauthorized',
      `${loginServer} does not accept the identity of this VM yet.${says} Assign it AcrPull (Container Registry Repository Reader if the registry uses ABAC); registry and VM must belong to one tenant, and azure.registryAudience must be what the registry accepts.`,
      { retry: soonAfter(response, now) },
    );
  }
  return (
    registryTrouble(response, { server: loginServer, hints }, now) ??
    new NodeError(
      'UnexpectedAnswer',
      `${loginServer} answers the token exchange with status ${status}.${says}${redirection(response, `https://${loginServer}`)} Check that registries.servers names an Azure container registry.`,
      forPerson,
    )
  );
}

function refreshTokenOf({ body }: HttpResponse): string | undefined {
  return parseJson(exchanged, body)?.refresh_token;
}

const exchanged = z.object({ refresh_token: z.string() });
