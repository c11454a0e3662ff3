/** The work of `slipway restore`. */
import { join } from 'node:path';
import type { Host } from '../agent/engine/host.ts';
import { apiBack, type Restore } from '../agent/parts/k3s/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { showUnit, systemctl } from '../agent/resources/unit.ts';
import { perform, type Tell } from './perform.ts';
import type { RestoreSteps } from './restore-steps.ts';
import { daemonUnit } from './setup-paths.ts';

/**
 * Replaces the datastore, starts K3s, and waits until the API is ready. Resolves to false if a step failed; then the
 * restore is still under way, and a second call continues. Throws `RestoreFailed` if K3s does not come up.
 */
export async function replaceDatastore(
  host: Host,
  paths: NodePaths,
  { down, up }: RestoreSteps,
  restore: Restore,
  tell: Tell,
): Promise<boolean> {
  if (!(await perform(down, host, tell)) || !(await perform(up, host, tell))) {
    return false;
  }
  const nodes = await apiBack(host, paths, restore);
  await host.remove(paths.slipway.restore);
  tell.out(`The datastore is restored, and the API is ready. It lists: ${nodes.join(', ') || 'no node'}`);
  tell.out(
    `What was there before is kept, with the suffix .before-restore-${restore.at}, below ${paths.k3s.data}/server. It has every Secret: remove it once the cluster works as it should.`,
  );
  return true;
}

/** Starts the daemon again, if its unit is below the root and enabled. */
export async function daemonBack(host: Host, { root }: NodePaths): Promise<void> {
  const { FragmentPath, UnitFileState } = await showUnit(host, daemonUnit, ['FragmentPath', 'UnitFileState']);
  if (UnitFileState === 'enabled' && FragmentPath.startsWith(join(root, '/'))) {
    await host.run(systemctl('start', '--no-block', daemonUnit));
  }
}
