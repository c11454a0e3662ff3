import { soonAfter } from '../../engine/backoff.ts';
import { NodeError } from '../../engine/errors.ts';
import type { HttpResponse } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';
import { quoted, refusalOf } from '../answers.ts';
import { callRefused } from './service-errors.ts';

/** The secret that a request is about. */
export interface VaultSecret {
  readonly name: string;
  readonly vaultId: string;
  /** The host name of the service that received the request. */
  readonly service: string;
}

/**
 * Returns the error for a refused request for a secret: `SecretNotVisible`, `SecretDisabled`, or an error of
 * `callRefused`. Source: docs.oracle.com, "API Errors".
 */
export function secretRefused(response: HttpResponse, asked: VaultSecret, now: number): NodeError {
  const { code, message } = refusalOf(response);
  const { name, vaultId, service } = asked;
  const says = quoted(message || code);
  const retry = soonAfter(response, now);
  if (response.status === 404 && code === 'NotAuthorizedOrNotFound') {
    return new NodeError(
      'SecretNotVisible',
      `${service} has no secret "${name}" in ${vaultId}, or this VM may not read it; Oracle Cloud answers the same for both. ` +
        `Create the secret, or correct its name or oracle.vault.id; or let the dynamic group of this VM read it: "Allow dynamic-group GROUP to read secret-bundles in compartment COMPARTMENT where target.secret.name = '${name}'". That can take some minutes to work.`,
      { retry },
    );
  }
  if (response.status === 409) {
    return new NodeError(
      'SecretDisabled',
      `The secret "${name}" in ${vaultId} is being made or is about to be deleted.${says} Wait, or cancel its deletion.`,
      forPerson,
    );
  }
  return callRefused(response, { name: service, unavailable: 'VaultUnavailable' }, now);
}

/** Throws `UnexpectedAnswer`, for an answer that does not contain the requested secret. */
export function bundleUnreadable({ name, service }: VaultSecret): never {
  throw new NodeError(
    'UnexpectedAnswer',
    `${service} answers the request for the secret "${name}" with something else. Check network.proxy and what it answers.`,
  );
}
