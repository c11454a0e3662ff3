import { inSync, type Resource, waiting } from '../../../engine/resource.ts';
import { forPerson } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { restoreCommand, restoreUnderWay } from './restore-state.ts';

/**
 * Waits while a restore of the datastore is under way, even if its file is damaged: what depends on this Resource
 * leaves K3s alone until the restore has ended.
 */
export function restoreEnded({ paths }: K3sNode): Resource {
  return {
    id: 'Restore/ended',
    summary: 'wait for the end of a restore of the datastore',
    condition: 'K3sRunning',
    isQuiet: true,
    async check(host) {
      if ((await host.stat(paths.slipway.restore)) === undefined) {
        return inSync();
      }
      const begun = await restoreUnderWay(host, paths);
      const since = begun ? ` at ${begun.at}` : '';
      const command = restoreCommand(begun ?? { from: 'FILE' });
      return waiting(
        'RestoreUnfinished',
        `A restore of the datastore was begun${since} and has not ended, so Slipway leaves K3s alone. To continue: ${command}`,
        { ...forPerson, after: 30_000 },
      );
    },
  };
}
