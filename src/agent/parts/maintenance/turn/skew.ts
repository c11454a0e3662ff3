import { compareVersions, type K3sVersion, parseVersion } from '../../k3s/index.ts';
import type { Asking, Fleet } from './fleet.ts';
import type { FleetNode } from './fleet-node.ts';

/** How many minor versions a kubelet may be older than an API server (kubernetes.io, "Version Skew Policy"). */
const kubeletBehind = 3;

/**
 * Returns why an upgrade of an agent waits: every server must run the wanted release or a newer one, but not more than
 * three minor versions newer, because the agent may connect to any server.
 */
export function agentSkew({ request }: Asking, { nodes }: Fleet): string | undefined {
  const wanted = wantedVersion(request.wish);
  if (wanted === undefined) {
    return undefined;
  }
  for (const server of nodes.filter(({ isServer }) => isServer)) {
    const runs = parseVersion(server.version);
    if (runs === undefined || compareVersions(runs, wanted) < 0) {
      return `waits for ${server.name}, which runs ${server.version || 'an unknown release'}`;
    }
    if (minors(wanted, runs) > kubeletBehind) {
      return `wants a release more than ${kubeletBehind} minor versions older than that of ${server.name}`;
    }
  }
  return undefined;
}

/**
 * Returns why an upgrade of a server waits: servers may be one minor version apart, and an agent at most three minor
 * versions older than a server.
 */
export function serverSkew({ node, request }: Asking, { nodes }: Fleet): string | undefined {
  const wanted = wantedVersion(request.wish);
  const other = wanted && nodes.find((each) => each.name !== node.name && isTooFar(each, wanted));
  return other && `waits for ${other.name}, which runs ${other.version || 'an unknown release'}`;
}

function isTooFar({ isServer, version }: FleetNode, wanted: K3sVersion): boolean {
  const runs = parseVersion(version);
  if (runs === undefined) {
    return isServer;
  }
  return isServer ? Math.abs(minors(runs, wanted)) > 1 : minors(runs, wanted) > kubeletBehind;
}

/** Returns how many minor versions `to` is newer than `from`; infinite for another major version. */
function minors(from: K3sVersion, to: K3sVersion): number {
  return from.major === to.major ? to.minor - from.minor : Number.POSITIVE_INFINITY;
}

function wantedVersion(wish: string): K3sVersion | undefined {
  const [, name = ''] = /^upgrade (\S+)$/.exec(wish) ?? [];
  return parseVersion(name);
}
