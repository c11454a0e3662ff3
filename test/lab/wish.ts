/** Makes all nodes of a lab upgrade to another release of K3s. */

import type { LabCloud } from './lab-clouds.ts';
import { brokenRelease, goodRelease } from './releases.ts';
import type { LabOn } from './running-lab.ts';

/** Publishes a release in the mirror of the lab; a broken release exits soon after each start. */
export async function publishRelease(
  { mirror }: Pick<LabOn<LabCloud>, 'mirror'>,
  version: string,
  isBroken: boolean,
): Promise<void> {
  mirror.publishK3s(version, isBroken ? brokenRelease(version) : await goodRelease(version));
}

/** Adds a file to the settings of every node that lets the node upgrade K3s to a release. */
export function wishRelease({ nodes }: Pick<LabOn<LabCloud>, 'nodes'>, version: string): void {
  for (const node of nodes) {
    node.write('etc/slipway/config.d/upgrade.yaml', `k3s: { version: ${version}, upgrade: auto }\n`);
  }
}
