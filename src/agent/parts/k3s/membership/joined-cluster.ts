import type { HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { nonBlocking } from '../../../resources/combinators.ts';
import { kindOf } from './kinds/kinds.ts';

/**
 * True if K3s on this node has joined or founded a cluster: a server then has its token, and an agent the CA of its
 * server.
 */
export async function joinedCluster(host: HostReader, node: K3sNode): Promise<boolean> {
  return (await host.stat(proofOfJoining(node))) !== undefined;
}

/** Returns the path of a file that exists only if K3s has joined or founded a cluster. */
export function proofOfJoining(node: K3sNode): string {
  return kindOf(node).proof(node.paths);
}

/**
 * Makes the drift and the errors of the Resource non-blocking once the node has joined: K3s can then run without the
 * Resource, and Slipway must still watch and restart it.
 */
export function nonBlockingOnceJoined(node: K3sNode, resource: Resource): Resource {
  return nonBlocking(resource, (host) => joinedCluster(host, node));
}
