import { compare, type Resource } from '../../../engine/resource.ts';
import type { NodePaths } from '../../../paths.ts';
import { readUpgrade, writeUpgrade } from '../upgrade/record.ts';
import { soundVersion } from '../upgrade/release.ts';
import { keepingFiles } from './kept-files.ts';
import { asideExecutable, type Restore } from './restore-state.ts';

const condition = 'K3sRunning';

/**
 * Puts the kept executable of a release back, while K3s is stopped, and keeps the present one. First records that the
 * upgrade from this release was rolled back: otherwise the daemon would upgrade K3s again at once.
 */
export function formerRelease(
  paths: NodePaths,
  release: string,
  restore: Restore,
  needs: readonly string[],
): readonly Resource[] {
  const { binary, previous } = paths.k3s;
  const recorded: Resource = {
    id: 'Restore/upgrade-taken-back',
    summary: `record that K3s went back to ${release}, so that the same upgrade is not tried again`,
    condition,
    needs,
    async check(host) {
      const record = await readUpgrade(host, paths);
      const isTaken = record?.from === release && record.state !== 'rolledBack';
      return compare({ 'taken back': !isTaken }, { 'taken back': true }, async (host) => {
        if (record) {
          const why = 'a copy of its datastore was restored.';
          await writeUpgrade(host, paths, { ...record, state: 'rolledBack', why });
        }
      });
    },
  };
  const replaced: Resource = {
    id: 'Restore/release',
    summary: `put K3s ${release} back: move ${previous} to ${binary}`,
    condition,
    needs: [recorded.id],
    async check(host) {
      const isKept = (await soundVersion(host, previous)) === release;
      return compare({ kept: isKept }, { kept: false }, async (host) => {
        if ((await host.stat(binary)) !== undefined) {
          await host.rename(binary, asideExecutable(paths, restore));
        }
        await host.rename(previous, binary);
      });
    },
  };
  return [keepingFiles(recorded, paths, restore, 'upgrade'), replaced];
}
