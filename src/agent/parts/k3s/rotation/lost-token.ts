import type { Cloud } from '../../../clouds/cloud.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import type { Finding } from '../../../engine/resource.ts';
import { reveal, type Secret } from '../../../engine/secret.ts';
import type { K3sNode } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';
import { fetchFormerToken, fetchToken, isRedacted, tokenSecretName } from '../membership/fetched-token.ts';
import { writeRotation } from '../membership/rotation-record.ts';
import { serverPassword } from '../membership/server-password.ts';
import { parseToken, tokenDigest } from '../membership/token.ts';
import { rotationFailed } from './store-token.ts';

/**
 * Returns the step that gives one of several servers the token of the vault, because K3s did not start with the present
 * one: its datastore belongs to another token. If the present one is the current version of the secret, takes the
 * former version: the vault may be ahead of a datastore that no server has rotated yet. Records an open rotation, so
 * that the present token is tried again if K3s does not start with the other one either. `start` is the start that
 * failed. The remedy throws `TokenRotationFailed` if the vault has no other token.
 */
export async function takeFromVault(
  host: HostReader,
  node: K3sNode,
  cloud: Cloud,
  start: string,
): Promise<Finding | undefined> {
  const { paths } = node;
  const text = await fileText(host, paths.slipway.joinToken);
  const present = parseToken(text);
  if (present === undefined) {
    return undefined;
  }
  const from = tokenDigest(present);
  const remedy = async (changing: Host) => {
    const fetched = await otherVersion(changing, node, cloud, from);
    if (!isRedacted(fetched)) {
      const to = tokenDigest(serverPassword(fetched, tokenSecretName(node)));
      const tokens = { from: text, to: reveal(fetched) };
      const record = { from, to, tokens, refused: [from], invocation: start } as const;
      await writeRotation(changing, paths, { ...record, refused: [from], state: 'rotated' });
    }
    await changing.writeFile(paths.slipway.joinToken, fetched, { mode: 0o600 });
  };
  const changes = [{ field: 'token', observed: from, desired: 'that of the vault' }];
  const summary =
    'let K3s start with the token of the vault, since its datastore has another than the present one';
  return { state: 'Drifted', drift: { changes, summary, partial: true, blocks: false, remedy } };
}

/** Fetches the current version of the secret or, if that has the digest of the present token, the former version. */
async function otherVersion(host: Host, node: K3sNode, cloud: Cloud, present: string): Promise<Secret> {
  const name = tokenSecretName(node);
  const isOther = (text: Secret) => tokenDigest(serverPassword(text, name)) !== present;
  const fetched = await fetchToken(host, cloud, name);
  if (isRedacted(fetched) || isOther(fetched)) {
    return fetched;
  }
  const former = await fetchFormerToken(host, cloud, name);
  if (former !== undefined && isOther(former)) {
    return former;
  }
  throw rotationFailed(
    `K3s does not start with the join token ${present} of the vault: its datastore has another.`,
  );
}
