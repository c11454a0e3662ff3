import { inSync, type Resource, waiting } from '../../../engine/resource.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { joinedCluster } from '../membership/joined-cluster.ts';
import { publishedBy, publishedOrError } from '../membership/published.ts';
import { fleetRelease } from './fleet-release.ts';
import { soundVersion } from './release.ts';

/**
 * Keeps a node that has not joined from starting a release newer than that of the servers. The case is rare: the
 * executable must have been downloaded before a server answered.
 *
 * Throws `ServerUnreachable` or `ServerNotReady` on a new agent whose server does not say what it runs: K3s could not
 * join now, and would later join with the newer release.
 */
export function releaseAgreed(node: K3sNode, needs: readonly string[]): Resource {
  return {
    id: 'Server/release',
    summary: 'compare the release of K3s with that of the server',
    condition: 'K3sBinary',
    isQuiet: true,
    needs,
    async check(host) {
      const ask = isServer(node) ? publishedBy : publishedOrError;
      const release = (await joinedCluster(host, node)) ? undefined : await fleetRelease(host, node, ask);
      if (release === undefined || (await soundVersion(host, node.paths.k3s.binary)) === release) {
        return inSync();
      }
      const message = `the cluster runs K3s ${release}, which this node gets before its first start`;
      return waiting('InProgress', message, { after: 1_000 });
    },
  };
}
