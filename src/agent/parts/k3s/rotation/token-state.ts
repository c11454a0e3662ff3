import type { HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';
import { activeStart } from '../datastore/active-start.ts';
import { readRotation } from '../membership/rotation-record.ts';
import { parseToken, tokenDigest } from '../membership/token.ts';

/**
 * Returns how far this server is with the join token that has this digest: `file` if the next start of K3s uses it,
 * `started` if the running K3s does; `undefined` if the token file has another token, or if K3s is down.
 */
export async function tokenState(
  host: HostReader,
  { paths }: K3sNode,
  digest: string,
): Promise<'file' | 'started' | undefined> {
  const token = parseToken(await fileText(host, paths.slipway.joinToken));
  const start = await activeStart(host);
  if (token === undefined || tokenDigest(token) !== digest || start === undefined) {
    return undefined;
  }
  const record = await readRotation(host, paths);
  const isOld = record?.state === 'begun' || (record?.state === 'rotated' && record.invocation === start);
  return isOld ? 'file' : 'started';
}
