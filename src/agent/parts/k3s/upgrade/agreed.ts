import { inSync, type Resource, waiting } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { joinedCluster } from '../membership/joined-cluster.ts';
import { fleetRelease } from './fleet-release.ts';
import { soundVersion } from './release.ts';

/**
 * Keeps a node that has not joined from starting a release newer than that of the servers. The case is rare: the
 * executable must have been downloaded before a server answered.
 */
export function releaseAgreed(node: K3sNode, needs: readonly string[]): Resource {
  return {
    id: 'Server/release',
    summary: 'compare the release of K3s with that of the server',
    condition: 'K3sBinary',
    isQuiet: true,
    needs,
    async check(host) {
      const release = (await joinedCluster(host, node)) ? undefined : await fleetRelease(host, node);
      if (release === undefined || (await soundVersion(host, node.paths.k3s.binary)) === release) {
        return inSync();
      }
      const message = `the cluster runs K3s ${release}, which this node gets before its first start`;
      return waiting('InProgress', message, { after: 1_000 });
    },
  };
}
