import type { Host } from '../../../engine/host.ts';
import { compare, inSync, type Resource } from '../../../engine/resource.ts';
import { unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { unless } from '../../../resources/combinators.ts';
import { showUnit, systemctl } from '../../../resources/unit.ts';
import { isK3sDown, type OtherServers, othersOff } from './other-servers.ts';
import { isStarted, noteRestore, type Restore, restoreUnderWay } from './restore-state.ts';

const unit = unitName('server');

/**
 * Enables K3s again, if it was enabled before the restore, and starts it, once no other server answers: one may have
 * booted since it was asked.
 */
export function k3sBack(paths: NodePaths, restore: Restore, servers: OtherServers): readonly Resource[] {
  const off = {
    ...othersOff(servers, []),
    id: 'Restore/still-alone',
    summary: 'make sure again that no other server answers',
  };
  const alone = unless(off, async (host) =>
    (await isStarted(host, paths)) || !(await isK3sDown(host)) ? inSync() : undefined,
  );
  return [alone, started(paths, restore, [alone.id])];
}

function started(paths: NodePaths, { isEnabled }: Restore, needs: readonly string[]): Resource {
  return {
    id: 'Restore/started',
    summary: `start ${unit}, which makes its certificates anew from the datastore`,
    condition: 'K3sRunning',
    needs,
    async check(host) {
      const { ActiveState, UnitFileState } = await showUnit(host, unit, ['ActiveState', 'UnitFileState']);
      const isUp = ['active', 'activating', 'reloading'].includes(ActiveState);
      const enabled = isEnabled ? UnitFileState === 'enabled' : undefined;
      return compare(
        { enabled, up: isUp, started: await isStarted(host, paths) },
        { enabled: enabled === undefined ? undefined : true, up: true, started: true },
        start,
      );
    },
  };

  async function start(host: Host): Promise<void> {
    if (isEnabled) {
      await host.run(systemctl('enable', unit));
    }
    await host.run(systemctl('start', '--no-block', unit));
    const noted = await restoreUnderWay(host, paths);
    if (noted !== undefined) {
      await noteRestore(host, paths, { ...noted, isStarted: true });
    }
  }
}
