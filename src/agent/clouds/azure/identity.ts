import type { AccessToken, ManagedIdentityCredential, TokenCredential } from '@azure/identity';
import { soonAfter } from '../../engine/backoff.ts';
import { NodeError } from '../../engine/errors.ts';
import type { Host, HttpResponse } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';
import { quoted, redirection, refusalOf } from '../answers.ts';
import { arcRemark } from './arc.ts';
import { askedOnce, azureHttpClient, metadataOrigin } from './http-client.ts';

export interface ManagedIdentityOptions {
  readonly host: Host;
  readonly imdsEndpoint: string;
  /** The client id of a user-assigned identity; `undefined` for the system-assigned one. */
  readonly clientId: string | undefined;
}

/**
 * Makes the SDKs' credential for the VM's managed identity. The messages of its errors name the repair. The errors are
 * `ManagedIdentityMissing`, `ManagedIdentityAmbiguous`, `ManagedIdentityUnavailable`, `Throttled`, `UnexpectedAnswer`.
 *
 * A process must make only one credential: msal keeps its token cache and the network client of the first credential in
 * static variables. Tokens are requested one at a time, because msal does not merge equal requests and the endpoint
 * allows five at once.
 */
export function managedIdentity({ host, imdsEndpoint, clientId }: ManagedIdentityOptions): TokenCredential {
  let credential: Promise<ManagedIdentityCredential> | undefined;
  let outcome: HttpResponse | Error | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const httpClient = azureHttpClient({
    host,
    imdsEndpoint,
    origin: metadataOrigin,
    observe: (seen) => (outcome = seen),
  });

  async function create(): Promise<ManagedIdentityCredential> {
    const { ManagedIdentityCredential } = await import('@azure/identity');
    return new ManagedIdentityCredential({
      ...(clientId && { clientId }),
      httpClient,
      ...askedOnce,
    });
  }

  async function take(scopes: string | string[]): Promise<AccessToken> {
    const arc = await arcRemark(host);
    if (arc !== '') {
      throw new NodeError('ManagedIdentityUnavailable', arc.trim(), forPerson);
    }
    credential ??= create();
    const created = await credential;
    outcome = undefined;
    try {
      return await created.getToken(scopes);
    } catch (thrown) {
      throw outcome ? identityRefused(outcome, String(scopes), clientId, host.now()) : thrown;
    }
  }

  return {
    getToken(scopes) {
      const token = turn.then(() => take(scopes));
      turn = token.catch(() => {});
      return token;
    },
  };
}

/**
 * Returns the error for a failed token request. Source: "How to use managed identities on a VM to acquire an access
 * token", error handling.
 */
function identityRefused(
  outcome: HttpResponse | Error,
  scope: string,
  clientId: string | undefined,
  now: number,
): Error {
  if (outcome instanceof NodeError) {
    return new NodeError(
      'ManagedIdentityUnavailable',
      `The managed identity endpoint does not answer yet: ${outcome.message} Check azure.imdsEndpoint and the firewall of this host.`,
      { cause: outcome },
    );
  }
  if (outcome instanceof Error) {
    return outcome;
  }
  const { status } = outcome;
  const answer = `The managed identity endpoint answers ${status}.`;
  const retry = soonAfter(outcome, now);
  if (status === 429) {
    return new NodeError('Throttled', `${answer} It is asked again in a moment.`, { retry });
  }
  if (status === 404 || status === 410 || status >= 500) {
    return new NodeError('ManagedIdentityUnavailable', `${answer} That passes; it is asked again.`, {
      retry,
    });
  }
  if (status === 400) {
    return misassigned(outcome, scope, clientId);
  }
  const { code, message } = refusalOf(outcome);
  return new NodeError(
    'UnexpectedAnswer',
    `${answer}${quoted(message || code)}${redirection(outcome, metadataOrigin)} That is not a token; check that azure.imdsEndpoint is right.`,
    status === 200 ? {} : forPerson,
  );
}

/**
 * Returns the error for an answer with the status 400: `UnexpectedAnswer` for an unknown audience, otherwise
 * `ManagedIdentityAmbiguous` or `ManagedIdentityMissing`. The latter two have the same code, so only the description
 * shows whether the VM has several identities or none.
 *
 * A missing identity is normal on a first boot, because an identity may be attached some time after the VM is created.
 */
function misassigned(response: HttpResponse, scope: string, clientId: string | undefined): NodeError {
  const { code, message } = refusalOf(response);
  if (code === 'invalid_resource') {
    return new NodeError(
      'UnexpectedAnswer',
      `Entra ID gives no tokens for ${scope}.${quoted(message)} Check azure.environment and azure.registryAudience.`,
      forPerson,
    );
  }
  if (/multiple user assigned/i.test(message)) {
    return new NodeError(
      'ManagedIdentityAmbiguous',
      'The VM has several user-assigned managed identities. Set azure.identity.clientId to the client id of the one to use.',
      forPerson,
    );
  }
  return new NodeError(
    'ManagedIdentityMissing',
    clientId
      ? `The VM does not have the managed identity with the client id ${clientId} yet.${quoted(message)} Assign it to the VM, or correct azure.identity.clientId.`
      : `The VM has no managed identity yet.${quoted(message)} Switch its system-assigned identity on, or set azure.identity.clientId to a user-assigned one.`,
  );
}
