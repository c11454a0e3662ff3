import type { Host } from '../../../engine/host.ts';
import { compare, type Resource } from '../../../engine/resource.ts';
import { unitName } from '../../../node.ts';
import { showUnit, systemctl } from '../../../resources/unit.ts';
import type { Restore } from './restore-state.ts';

const unit = unitName('server');

/** Enables K3s again, if it was enabled before the restore, and starts it. */
export function k3sBack({ isEnabled }: Restore): Resource {
  return {
    id: 'Restore/started',
    summary: `start ${unit}, which makes its certificates anew from the datastore`,
    condition: 'K3sRunning',
    async check(host) {
      const { ActiveState, UnitFileState } = await showUnit(host, unit, ['ActiveState', 'UnitFileState']);
      const isUp = ['active', 'activating', 'reloading'].includes(ActiveState);
      const enabled = isEnabled ? UnitFileState === 'enabled' : undefined;
      return compare(
        { enabled, up: isUp },
        { enabled: enabled === undefined ? undefined : true, up: true },
        start,
      );
    },
  };

  async function start(host: Host): Promise<void> {
    if (isEnabled) {
      await host.run(systemctl('enable', unit));
    }
    await host.run(systemctl('start', '--no-block', unit));
  }
}
