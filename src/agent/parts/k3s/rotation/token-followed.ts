import type { Cloud } from '../../../clouds/cloud.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource } from '../../../engine/resource.ts';
import { Secret } from '../../../engine/secret.ts';
import { isOnlyServer, type K3sNode } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';
import { activeStart } from '../datastore/active-start.ts';
import { isOpen, readRotation } from '../membership/rotation-record.ts';
import { parseToken, tokenDigest } from '../membership/token.ts';
import { fetchTokenOf, followToken } from './followed-token.ts';
import type { RotationNotice, ShownRotation } from './notice.ts';

/**
 * Gives each of several servers the new join token once another server, or this one, has made the datastore belong to
 * it: with the old token, K3s would not start again. Needs no consent, because the cluster has changed already. Returns
 * no Resource on the only server of a cluster. It restarts nothing, so neither a hold delays it nor a start of K3s by
 * another unit: the turns of all servers wait until every Ready server has the new token.
 */
export function tokenFollowed(
  node: K3sNode,
  { cloud, notice }: { readonly cloud: Cloud; readonly notice: RotationNotice },
  needs: readonly string[],
): readonly Resource[] {
  if (isOnlyServer(node)) {
    return [];
  }
  const resource: Resource = {
    id: 'Token/followed',
    summary: 'take the join token that the cluster has now',
    condition: 'JoinToken',
    isQuiet: true,
    needs,
    async check(host) {
      const start = await activeStart(host);
      const step = start && (await unfinished(host, node, start));
      return (
        step || (start && (await following(host, node, cloud, await seen(host, node, notice)))) || inSync()
      );
    },
  };
  return [resource];
}

/** Returns the rotation that the servers see; `undefined` while the API does not answer. */
async function seen(
  host: HostReader,
  node: K3sNode,
  notice: RotationNotice,
): Promise<ShownRotation | undefined> {
  try {
    return await notice.read(host, node);
  } catch (thrown) {
    if (thrown instanceof NodeError) {
      return undefined;
    }
    throw thrown;
  }
}

/** Returns the step that completes a change of the token file to which a crash came. */
async function unfinished(host: HostReader, node: K3sNode, start: string): Promise<Finding | undefined> {
  const record = await readRotation(host, node.paths);
  const present = await presentDigest(host, node);
  if (!isOpen(record) || record.state !== 'rotated' || record.invocation !== start || present === record.to) {
    return undefined;
  }
  return step(present, record.to, (changing) =>
    changing.writeFile(node.paths.slipway.joinToken, new Secret(`${record.tokens.to.trim()}\n`), {
      mode: 0o600,
    }),
  );
}

async function following(
  host: HostReader,
  node: K3sNode,
  cloud: Cloud,
  shown: ShownRotation | undefined,
): Promise<Finding | undefined> {
  const present = await presentDigest(host, node);
  if (!shown?.isStored || present === shown.to) {
    return undefined;
  }
  return step(present, shown.to, async (changing) =>
    followToken(changing, node, await fetchTokenOf(changing, node, cloud, shown.to)),
  );
}

async function presentDigest(host: HostReader, { paths }: K3sNode): Promise<string | undefined> {
  const token = parseToken(await fileText(host, paths.slipway.joinToken));
  return token && tokenDigest(token);
}

function step(
  observed: string | undefined,
  desired: string,
  remedy: Extract<Finding, { readonly state: 'Drifted' }>['drift']['remedy'],
): Finding {
  const changes = [{ field: 'join token', observed, desired }];
  return { state: 'Drifted', drift: { changes, partial: true, blocks: false, remedy } };
}
