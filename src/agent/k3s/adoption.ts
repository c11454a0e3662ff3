import type { Resource } from '../core/resource.ts';
import { unitsStopped } from '../resources/units-stopped.ts';
import type { K3sNode } from './node.ts';

const timer = 'refresh-acr-credentials.timer';

/**
 * The timer by which a node made with the older cloud-init scripts renews registries.yaml is stopped, before two write
 * the same file. Its files stay, so that `systemctl enable --now` brings it back where Slipway goes.
 */
export function acrRefreshStopped({ paths }: Pick<K3sNode, 'paths'>): Resource {
  return unitsStopped({
    id: 'Adoption/refresh-acr-credentials',
    summary: `stop ${timer}: Slipway renews registries.yaml on this node`,
    condition: 'Registries',
    units: [timer, 'refresh-acr-credentials.service'],
    root: paths.root,
    forGood: true,
  });
}
