import { join } from 'node:path';
import type { Host } from '../engine/host.ts';
import { type ConditionType, type Finding, inSync, type Resource } from '../engine/resource.ts';
import { showUnits, systemctl } from './unit.ts';

export interface UnitsForgottenSpec {
  readonly id: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
  readonly units: readonly string[];
  readonly root: string;
}

/**
 * Makes systemd forget each of these units whose file is gone: a reload unloads the unit. A unit that has failed stays
 * loaded, as not-found, until its failure is reset too.
 */
export function unitsForgotten({ units, root, ...rest }: UnitsForgottenSpec): Resource {
  return {
    ...rest,
    summary: 'systemctl daemon-reload',
    async check(host) {
      const shown = await showUnits(host, units, ['FragmentPath', 'ActiveState'], root);
      const known = shown
        .map(({ FragmentPath }) => FragmentPath)
        .filter((path) => path.startsWith(join(root, '/')));
      const stats = await Promise.all(known.map((path) => host.stat(path)));
      const stale = known.filter((_, at) => stats[at] === undefined);
      if (stale.length > 0) {
        return forgetting(stale, 'loaded', ['daemon-reload']);
      }
      const failed = units.filter((_, at) => root === '/' && isFailedWithoutFile(shown[at]));
      return failed.length > 0 ? forgetting(failed, 'failed', ['reset-failed', ...failed]) : inSync();
    },
  };
}

type Shown = Readonly<Record<'FragmentPath' | 'ActiveState', string>>;

function isFailedWithoutFile(shown: Shown | undefined): boolean {
  return shown?.FragmentPath === '' && shown.ActiveState === 'failed';
}

function forgetting(fields: readonly string[], observed: string, args: readonly string[]): Finding {
  const changes = fields.map((field) => ({ field, observed, desired: undefined }));
  const remedy = async (host: Host) => void (await host.run(systemctl(...args)));
  return { state: 'Drifted', drift: { changes, summary: `systemctl ${args.join(' ')}`, remedy } };
}
