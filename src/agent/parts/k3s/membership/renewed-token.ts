import type { Cloud } from '../../../clouds/cloud.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { FoundFile, Host } from '../../../engine/host.ts';
import { redacted, Secret } from '../../../engine/secret.ts';
import { advisory } from '../../../engine/severity.ts';
import { isOnlyServer, type K3sNode, unitName } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';
import { showUnit } from '../../../resources/unit.ts';
import { consentAdvice, isConsented } from '../../../settings/consents.ts';
import { clusterAccepts } from './cluster-token.ts';
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
 * was changed; otherwise the token in the vault. If these tokens differ, throws `TokenChanged` without consent; with
 * consent, records the rotation and keeps the content. If another server accepts the token of the vault already, the
 * cluster has been rotated: then returns this token without consent, and records that K3s has to restart with it.
 * Throws `SecretEmpty` for a token that no server can use.
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
  if (!isOnlyServer(node) && (await clusterAccepts(host, node, token))) {
    return followed(host, node, { found, installed, next: token });
  }
  if (!mayRotate(node, next)) {
    throw tokenChanged(node, next);
  }
  const tokens = { from: found.content, to: fetched.reveal() };
  await writeRotation(host, node.paths, { from: tokenDigest(installed), to: next, state: 'wanted', tokens });
  return new Secret(found.content, `${redacted}\n`);
}

/** True if this server has consent to rotate the join token to the one with this digest. */
export function mayRotate({ settings }: K3sNode, to: string): boolean {
  return isConsented(settings, 'tokenChange', to);
}

/** Records that K3s has the old token until its next start, unless K3s is down; returns the new content. */
async function followed(
  host: Host,
  { paths }: K3sNode,
  { found, installed, next }: { readonly found: FoundFile; readonly installed: Token; readonly next: Token },
): Promise<Secret> {
  const content = `${next.credential}\n`;
  const { ActiveState, InvocationID: invocation } = await showUnit(host, unitName('server'), [
    'ActiveState',
    'InvocationID',
  ]);
  if (ActiveState === 'active') {
    const digests = { from: tokenDigest(installed), to: tokenDigest(next) };
    const tokens = { from: found.content, to: content };
    await writeRotation(host, paths, { ...digests, tokens, state: 'rotated', invocation });
  }
  return new Secret(content, `${redacted}\n`);
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
