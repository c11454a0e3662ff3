import * as z from 'zod/mini';
import { soonAfter } from '../../engine/backoff.ts';
import { NodeError } from '../../engine/errors.ts';
import type { HttpResponse } from '../../engine/host.ts';
import { parseJson } from '../../engine/json.ts';
import { forPerson } from '../../engine/severity.ts';
import { isOfProxy, isUnknownName, quoted, redirection, refusalOf, untrusted } from '../answers.ts';

export function vaultUnreachable(failure: NodeError, url: string): NodeError {
  if (failure.reason === 'TlsUntrusted') {
    return untrusted(url, failure);
  }
  if (isOfProxy(failure)) {
    return failure;
  }
  if (isUnknownName(failure)) {
    return new NodeError(
      'VaultNotFound',
      `The name of the Key Vault ${url} does not resolve. Check azure.keyVault.name, azure.environment, and the DNS zone of a private endpoint.`,
      { cause: failure },
    );
  }
  return new NodeError(
    'VaultUnavailable',
    `The Key Vault ${url} cannot be reached: ${failure.message} Check azure.keyVault.name, network.proxy and the way out of the subnet.`,
    { cause: failure },
  );
}

export function secretRefused(response: HttpResponse, url: string, name: string, now: number): NodeError {
  const { status } = response;
  const { code, message } = refusalOf(response);
  const inner = innerCodeOf(response);
  const says = quoted(message || code);
  const retry = soonAfter(response, now);
  if (status === 404 && code === 'SecretNotFound') {
    return new NodeError(
      'SecretNotFound',
      `The Key Vault ${url} has no secret "${name}" yet. Create it there, or correct the name of the secret in the settings.`,
      { retry },
    );
  }
  if (status === 403) {
    return secretUnusable(inner, message, url, name) ?? vaultForbidden(inner || code, says, url, name);
  }
  if (status === 401) {
    return new NodeError(
      'VaultWrongTenant',
      `The Key Vault ${url} does not accept the token of this VM's identity.${says} Vault and VM must belong to the same Entra tenant; check azure.keyVault.name.`,
      forPerson,
    );
  }
  if (status === 429) {
    return new NodeError('Throttled', `The Key Vault ${url} asks for fewer requests.${says}`, { retry });
  }
  if (status === 408 || status === 410 || status >= 500) {
    return new NodeError('VaultUnavailable', `The Key Vault ${url} answers ${status}.${says}`, { retry });
  }
  return new NodeError(
    'UnexpectedAnswer',
    `What answers at ${url} does not answer as a Key Vault does: status ${status}.${says}${redirection(response, url)} Check azure.keyVault.url.`,
    status === 200 ? {} : forPerson,
  );
}

/**
 * Returns the code in `{error: {innererror: {code}}}`, which distinguishes Key Vault's 403 answers; an empty string if
 * the answer lacks that code.
 */
function innerCodeOf({ body }: HttpResponse): string {
  return parseJson(innerError, body)?.error.innererror.code ?? '';
}

const innerError = z.object({ error: z.object({ innererror: z.object({ code: z.string() }) }) });

/**
 * Returns `SecretDisabled` for a secret that is disabled, expired or not valid yet; `undefined` for any other refusal.
 */
function secretUnusable(inner: string, message: string, url: string, name: string): NodeError | undefined {
  const text = `${inner} ${message}`;
  const [, state, repair] =
    unusableStates.find(([pattern]) => pattern.test(text)) ?? ([] as readonly undefined[]);
  if (state === undefined) {
    return undefined;
  }
  return new NodeError('SecretDisabled', `The secret "${name}" in ${url} ${state}. ${repair}`, forPerson);
}

const unusableStates = [
  [/SecretDisabled|disabled secret/i, 'is disabled', 'Enable it, or give it a new version.'],
  [
    /SecretExpired|expired secret|secret (?:is|has) expired/i,
    'has expired',
    'Give it a new version, or move its expiration date.',
  ],
  [
    /SecretNotYetValid|not[- ]yet[- ]valid|before its/i,
    'is not valid yet',
    'Wait for its activation date or move it, or give it a new version.',
  ],
] as const;

/**
 * Returns the error for a 403 answer that is not about the state of the secret: `VaultFirewall` or `VaultForbidden`.
 * The inner codes were seen in answers of real vaults; Azure's reference lists only the outer code.
 */
function vaultForbidden(code: string, says: string, url: string, name: string): NodeError {
  if (code === 'ForbiddenByFirewall' || code === 'ForbiddenByConnection') {
    return new NodeError(
      'VaultFirewall',
      `The Key Vault ${url} refuses connections from this VM.${says} Allow the VM's subnet in the vault's networking settings, or give the vault a private endpoint.`,
      forPerson,
    );
  }
  if (code === '') {
    return new NodeError(
      'VaultFirewall',
      `Something on the way to the Key Vault ${url} refuses the request (403, but not the vault's own). Check network.proxy and what it allows.`,
      forPerson,
    );
  }
  return new NodeError(
    'VaultForbidden',
    `The identity of this VM may not read the secret "${name}" in ${url} yet.${says} Assign it the role Key Vault Secrets User on the vault (or Get in its access policy); that can take ten minutes to work.`,
  );
}

export function notThatVault({ message }: Error, url: string): NodeError {
  return new NodeError(
    'UnexpectedAnswer',
    `What answers at ${url} is not a Key Vault of that domain, so no token was sent there.${quoted(message)} Check azure.keyVault.url and azure.environment.`,
    forPerson,
  );
}
