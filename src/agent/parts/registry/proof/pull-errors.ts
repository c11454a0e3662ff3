/**
 * The errors of a pull, each with its repair.
 *
 * Only a person can end most of the errors, by permitting the pull or by correcting the settings.
 */
import { quoted, refusalOf, untrusted } from '../../../clouds/answers.ts';
import type { AskedRegistry } from '../../../clouds/registry-errors.ts';
import { soonAfter } from '../../../engine/backoff.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { HttpResponse } from '../../../engine/host.ts';
import { forPerson } from '../../../engine/severity.ts';

const trial = 'and each new one is tried; to try this one again now: systemctl reload slipway.';

/**
 * The sentence that states when a credential is renewed. No message suggests removing registries.yaml, since K3s would
 * then start without mirrors.
 */
export const renewal = `It is renewed when registries.schedule says so, ${trial}`;

/** Returns the error for a login that is accepted but may not pull. `what` is an image or a scope. */
export function pullDenied({ server, hints }: AskedRegistry, what: string, says: string): NodeError {
  return new NodeError(
    'PullDenied',
    `${server} accepts the credential of registries.yaml, but does not let it pull ${what}.${says} ${hints.permitPull}`,
    forPerson,
  );
}

export function credentialRefused({ server, hints }: AskedRegistry, says: string): NodeError {
  return new NodeError(
    'PullCredentialRefused',
    `${server} does not accept the credential that registries.yaml holds.${says} ${hints.checkLogin} It is renewed within ten minutes, or at its next rotation if that restarts K3s, ${trial}`,
    forPerson,
  );
}

export function foreignRealm(server: string, realm: string): NodeError {
  return new NodeError(
    'UnexpectedAnswer',
    `${server} asks for its credential to be shown to "${realm}", and it was not shown there. Check registries.servers and what answers under that name.`,
    forPerson,
  );
}

export function imageNotFound(image: string, why: string): NodeError {
  return new NodeError(
    'ProofImageNotFound',
    `${image} cannot prove a pull: ${why}. Push it, or name another image in registries.proof.`,
    forPerson,
  );
}

/** Returns the error for a response without the manifest or layer. `missing` is the meaning of status 404. */
export function pullRefused(
  response: HttpResponse,
  asked: AskedRegistry,
  image: string,
  missing: string,
): NodeError {
  const { status } = response;
  const says = quoted(refusalOf(response).message);
  if (status === 401 || status === 403) {
    return pullDenied(asked, image, says);
  }
  if (status === 404) {
    return imageNotFound(image, missing);
  }
  return unexpected(asked.server, `answers ${status} to a pull of ${image}.${says}`);
}

/**
 * Returns the error for an answer that does not come from a registry. `did` is the predicate of the sentence about the
 * server.
 */
export function unexpected(server: string, did: string): NodeError {
  return new NodeError(
    'UnexpectedAnswer',
    `${server} ${did.replace(/\.?$/, '.')} That is not the protocol of a registry; check registries.servers and what answers under that name.`,
    forPerson,
  );
}

/**
 * Returns the error if the registry redirects to an endpoint that cannot be reached: `TlsUntrusted` or
 * `UnexpectedAnswer` if the failure has that reason, otherwise `StorageUnreachable`.
 */
export function storageUnreachable(
  { server, hints }: AskedRegistry,
  storage: string,
  failure: NodeError,
): NodeError {
  if (failure.reason === 'TlsUntrusted') {
    return untrusted(storage, failure);
  }
  if (failure.reason === 'UnexpectedAnswer') {
    return new NodeError('UnexpectedAnswer', failure.message, { ...forPerson, cause: failure });
  }
  return new NodeError(
    'StorageUnreachable',
    `${server} sends layers from ${storage}, which cannot be reached: ${failure.message} ${hints.reachStorage}`,
    { cause: failure },
  );
}

/** Returns the error if the registry redirects to an endpoint that answers without the layer. */
export function storageRefused(
  { server, hints }: AskedRegistry,
  storage: string,
  response: HttpResponse,
  now: number,
): NodeError {
  const { status } = response;
  const says = quoted(refusalOf(response).message);
  const isPassing = status === 408 || status === 429 || status >= 500;
  return new NodeError(
    'StorageUnreachable',
    `${server} sends layers from ${storage}, which answers ${status}.${says} ${hints.reachStorage}`,
    isPassing ? { retry: soonAfter(response, now) } : forPerson,
  );
}
