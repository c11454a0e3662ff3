import type { Cloud } from '../../../clouds/cloud.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import type { Finding } from '../../../engine/resource.ts';
import { reveal } from '../../../engine/secret.ts';
import type { K3sNode } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';
import { fetchToken, isRedacted, tokenSecretName } from '../membership/fetched-token.ts';
import { writeRotation } from '../membership/rotation-record.ts';
import { serverPassword } from '../membership/server-password.ts';
import { parseToken, tokenDigest } from '../membership/token.ts';
import { rotationFailed } from './store-token.ts';

/**
 * Returns the step that gives one of several servers the token of the vault, because K3s did not start with the present
 * one: its datastore belongs to another token. Records an open rotation, so that the former token is tried again if
 * K3s does not start with the new one either. `start` is the start that failed. The remedy throws
 * `TokenRotationFailed` if the vault has the token with which K3s did not start.
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
    const fetched = await fetchToken(changing, cloud, tokenSecretName(node));
    if (!isRedacted(fetched)) {
      const to = tokenDigest(serverPassword(fetched, tokenSecretName(node)));
      if (to === from) {
        throw rotationFailed(
          `K3s does not start with the join token ${from} of the vault: its datastore has another.`,
        );
      }
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
