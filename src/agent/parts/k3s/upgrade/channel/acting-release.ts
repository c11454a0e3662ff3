import * as z from 'zod/mini';
import { NodeError } from '../../../../engine/errors.ts';
import type { HostReader } from '../../../../engine/host.ts';
import { readApi } from '../../../../kubernetes/api.ts';
import { objectPath } from '../../../../kubernetes/object-path.ts';
import { isOnlyServer, type K3sNode, mayActForCluster } from '../../../../node.ts';
import { nodeAccess } from '../../../../node-access.ts';
import { readFounding } from '../../membership/founding/record.ts';
import { joinedCluster } from '../../membership/joined-cluster.ts';
import { publishedRelease } from '../fleet-release.ts';
import { parseVersion } from '../version.ts';

/** Returns the name of the Node of the server that acts for the cluster; `undefined` if none does now. */
export type ActingName = (host: HostReader) => Promise<string | undefined>;

/** Where a node takes its release from: it asks the channel itself, or follows another server, if one answers. */
export type ReleaseSource =
  | { readonly ask: true }
  | { readonly ask: false; readonly release: string | undefined };

/**
 * Decides where a node takes its release from. The server that acts for the cluster asks the channel, and so does a
 * server that is about to found the cluster. A server that has joined follows the acting one, whose Node shows its
 * release; servers have their turns one at a time, so it is verified before another one follows. Every other node
 * follows a server that publishes its release.
 */
export async function releaseSource(
  host: HostReader,
  node: K3sNode,
  actingName: ActingName,
): Promise<ReleaseSource> {
  if (!mayActForCluster(node)) {
    return { ask: false, release: await publishedRelease(host, node) };
  }
  if (isOnlyServer(node)) {
    return { ask: true };
  }
  return (await joinedCluster(host, node)) ? ofMember(host, node, actingName) : beforeJoining(host, node);
}

async function beforeJoining(host: HostReader, node: K3sNode): Promise<ReleaseSource> {
  const release = await publishedRelease(host, node);
  const isAlone = node.settings.k3s.datastore !== 'etcd' || (await founds(host, node));
  return release === undefined && isAlone ? { ask: true } : { ask: false, release };
}

async function founds(host: HostReader, { paths }: K3sNode): Promise<boolean> {
  return (await readFounding(host, paths))?.state === 'founds';
}

async function ofMember(host: HostReader, node: K3sNode, actingName: ActingName): Promise<ReleaseSource> {
  try {
    const name = await actingName(host);
    return name === node.name
      ? { ask: true }
      : { ask: false, release: await releaseOfNode(host, node, name) };
  } catch (thrown) {
    if (thrown instanceof NodeError) {
      return { ask: false, release: undefined };
    }
    throw thrown;
  }
}

/** The release of the kubelet of a Node (Kubernetes API, core/v1). */
const releasedNode = z.object({
  status: z.object({ nodeInfo: z.object({ kubeletVersion: z.string() }) }),
});

async function releaseOfNode(
  host: HostReader,
  node: K3sNode,
  name: string | undefined,
): Promise<string | undefined> {
  if (name === undefined) {
    return undefined;
  }
  const path = objectPath({ apiVersion: 'v1', resource: 'nodes', name });
  const found = await readApi(host, await nodeAccess(host, node), path, releasedNode);
  const release = found?.status.nodeInfo.kubeletVersion ?? '';
  return parseVersion(release) ? release : undefined;
}
