import { join } from 'node:path';
import { type ConditionType, inSync, type Resource } from '../engine/resource.ts';
import { showUnits, systemctl } from './unit.ts';

export interface UnitsForgottenSpec {
  readonly id: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
  readonly units: readonly string[];
  readonly root: string;
}

/** Makes systemd unload each of these units whose file is gone. */
export function unitsForgotten({ units, root, ...rest }: UnitsForgottenSpec): Resource {
  return {
    ...rest,
    summary: 'systemctl daemon-reload',
    async check(host) {
      const shown = await showUnits(host, units, ['FragmentPath'], root);
      const known = shown
        .map(({ FragmentPath }) => FragmentPath)
        .filter((path) => path.startsWith(join(root, '/')));
      const stats = await Promise.all(known.map((path) => host.stat(path)));
      const stale = known.filter((_, at) => stats[at] === undefined);
      if (stale.length === 0) {
        return inSync();
      }
      const changes = stale.map((field) => ({ field, observed: 'loaded', desired: undefined }));
      const command = systemctl('daemon-reload');
      return { state: 'Drifted', drift: { changes, remedy: async (host) => void (await host.run(command)) } };
    },
  };
}
