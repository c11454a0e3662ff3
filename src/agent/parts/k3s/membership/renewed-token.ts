import type { Cloud } from '../../../clouds/cloud.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { FoundFile, Host } from '../../../engine/host.ts';
import { redacted, Secret } from '../../../engine/secret.ts';
import { advisory } from '../../../engine/severity.ts';
import { isOnlyServer, type K3sNode, unitName } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';
import { consentAdvice, isConsented } from '../../../settings/consents.ts';
import { fetchToken, isRedacted, tokenSecretName } from './fetched-token.ts';
import { type RotationRecord, writeRotation } from './rotation-record.ts';
import { serverPassword } from './server-password.ts';
import { parseToken, type Token, tokenDigest } from './token.ts';

/** The token that K3s uses, the last rotation unless it is open, and the token file. */
interface Installed {
  readonly installed: Token;
  readonly rotation: RotationRecord | undefined;
  readonly found: FoundFile | undefined;
}

/**
 * Returns the new content of the token file of an installed server: the token that K3s uses if the file is missing or
 * was changed; otherwise the token in the vault. If these tokens differ, throws `TokenChanged` without consent, and on
 * one of several servers; with consent, records the rotation and keeps the content. Throws `SecretEmpty` for a token
 * that no server can use.
 */
export async function renewToken(
  host: Host,
  node: K3sNode,
  cloud: Cloud,
  { installed, rotation, found }: Installed,
): Promise<Secret> {
  const isIntact =
    found !== undefined &&
    found.mode === 0o600 &&
    found.foreignOwner === undefined &&
    parseToken(found.content)?.credential === installed.credential;
  if (!isIntact) {
    return new Secret(`${installed.credential}\n`, `${redacted}\n`);
  }
  const name = tokenSecretName(node);
  const fetched = await fetchToken(host, cloud, name);
  if (isRedacted(fetched)) {
    return fetched;
  }
  const token = serverPassword(fetched, name, await fileText(host, node.paths.k3s.serverCa));
  const isSame = token.credential === installed.credential;
  const next = tokenDigest(token);
  if (rotation?.state === 'wanted' && (isSame || rotation.to !== next)) {
    await host.remove(node.paths.slipway.tokenRotation);
  }
  if (isSame) {
    return fetched;
  }
  if (!mayRotate(node, next)) {
    throw isOnlyServer(node) ? tokenChanged(node, next) : rotatedByHand(node);
  }
  const tokens = { from: found.content, to: fetched.reveal() };
  await writeRotation(host, node.paths, { from: tokenDigest(installed), to: next, state: 'wanted', tokens });
  return new Secret(found.content, `${redacted}\n`);
}

/**
 * True if this server may rotate the join token to the one with this digest: it has consent, and is the only server.
 * Each of several servers would make K3s rotate from its own token, and after the first rotation, K3s on the others has
 * the old token until it restarts with the new one.
 */
export function mayRotate(node: K3sNode, to: string): boolean {
  return isOnlyServer(node) && isConsented(node.settings, 'tokenChange', to);
}

/**
 * Returns `TokenChanged`. `next` is the digest of the token in the vault: `printf %s TOKEN | sha256sum | cut -c1-12`.
 */
function tokenChanged(node: K3sNode, next: string): NodeError {
  return new NodeError(
    'TokenChanged',
    `The secret ${tokenSecretName(node)} holds another token than ${unitName(node.role.k3s)} was installed with. The ` +
      'bootstrap data in its datastore is encrypted with the installed one, so nothing was changed. Put the old token ' +
      `back, or, to make the new one the cluster's, ${consentAdvice(node.settings, 'tokenChange', next)}.`,
    advisory,
  );
}

/** Returns `TokenChanged` for one of several servers, with the steps of a rotation by hand. */
function rotatedByHand(node: K3sNode): NodeError {
  const { serverToken } = node.paths.k3s;
  return new NodeError(
    'TokenChanged',
    `The secret ${tokenSecretName(node)} holds another token than ${unitName(node.role.k3s)} uses, and nothing was ` +
      'changed. Slipway does not rotate the token of several servers, so consent.tokenChange has no effect. Put the old ' +
      'token back, or rotate the token by hand. First run k3s token rotate on one server, and store the token from its ' +
      `${serverToken} as a new version of the secret. Then write this token to the same file on the other servers, and ` +
      'run systemctl reload slipway on all of them. Then run systemctl restart k3s on one server after the other. See ' +
      'docs/usage/tokens.md.',
    advisory,
  );
}
