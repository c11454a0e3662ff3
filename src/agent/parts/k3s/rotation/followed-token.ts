import { hintsOf } from '../../../clouds/chosen.ts';
import type { Cloud } from '../../../clouds/cloud.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Host } from '../../../engine/host.ts';
import type { Secret } from '../../../engine/secret.ts';
import { advisory } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';
import { activeStart } from '../datastore/active-start.ts';
import { pinnedCa } from '../membership/ca.ts';
import { fetchFormerToken, fetchToken, isRedacted, tokenSecretName } from '../membership/fetched-token.ts';
import { endRotation, isOpen, readRotation, writeRotation } from '../membership/rotation-record.ts';
import { serverTokenStatus } from '../membership/supervisor.ts';
import { parseToken, type Token, tokenDigest } from '../membership/token.ts';

/**
 * Gives this server the token to which the datastore of its cluster belongs, without a request to K3s: writes the token
 * file, and records a rotation that ends with the next start of K3s, or at once if K3s runs with this token already. A
 * crash before the record is repeated, because the token file then differs from that of K3s.
 */
export async function followToken(host: Host, node: K3sNode, next: Secret): Promise<void> {
  const { paths } = node;
  const to = parseToken(next.reveal());
  const from = to && (await tokenBefore(host, node, to));
  await host.writeFile(paths.slipway.joinToken, next, { mode: 0o600 });
  if (to === undefined || from === undefined || isRedacted(next)) {
    return;
  }
  const record = { from: tokenDigest(from), to: tokenDigest(to), state: 'rotated' } as const;
  const invocation = await activeStart(host);
  const tokens = { from: `${from.credential}\n`, to: next.reveal() };
  await (invocation === undefined || (await runsWith(host, node, to))
    ? endRotation(host, node, record)
    : writeRotation(host, paths, { ...record, tokens, invocation }));
}

/** Returns the token before a rotation, even if a crash came after the token file was written. */
async function tokenBefore(host: Host, { paths }: K3sNode, to: Token): Promise<Token | undefined> {
  const record = await readRotation(host, paths);
  const texts = [
    ...(isOpen(record) ? [record.tokens.from] : []),
    await fileText(host, paths.slipway.joinToken),
    await fileText(host, paths.k3s.serverToken),
  ];
  return texts.map(parseToken).find((token) => token !== undefined && token.credential !== to.credential);
}

/** True if the running K3s of this server accepts the token; false if it does not answer. */
async function runsWith(host: Host, node: K3sNode, token: Token): Promise<boolean> {
  const ca = pinnedCa(await fileText(host, node.paths.k3s.serverCa)).trusted;
  const server = `https://127.0.0.1:${node.settings.k3s.config['https-listen-port'] ?? 6443}`;
  try {
    return (await serverTokenStatus(host, server, ca, token, hintsOf(node.settings))) === 200;
  } catch (thrown) {
    if (thrown instanceof NodeError) {
      return false;
    }
    throw thrown;
  }
}

/**
 * Fetches the token with this digest from the cloud: the current version of the secret, or the former one. In a dry
 * run, returns the placeholder. Throws `TokenRotationFailed` if neither version is this token.
 */
export async function fetchTokenOf(host: Host, node: K3sNode, cloud: Cloud, digest: string): Promise<Secret> {
  const name = tokenSecretName(node);
  const isIt = (text: Secret | undefined) => {
    const token = text && parseToken(text.reveal());
    return token !== undefined && tokenDigest(token) === digest;
  };
  const fetched = await fetchToken(host, cloud, name);
  if (isRedacted(fetched) || isIt(fetched)) {
    return fetched;
  }
  const former = await fetchFormerToken(host, cloud, name);
  if (former !== undefined && isIt(former)) {
    return former;
  }
  throw new NodeError(
    'TokenRotationFailed',
    `The datastore of the cluster belongs to the join token ${digest}, which is neither the current nor the former ` +
      `version of the secret ${name}. Store this token as its current version: without it, K3s does not start again.`,
    advisory,
  );
}
