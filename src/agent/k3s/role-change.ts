import { join } from 'node:path';
import { NodeError } from '../core/errors.ts';
import type { Host, HostReader } from '../core/host.ts';
import { type Finding, inSync, type Resource, step, waiting } from '../core/resource.ts';
import { showUnit, systemctl } from '../resources/unit.ts';
import { agentTokenPath } from './agent-token.ts';
import { type K3sNode, unitName } from './node.ts';

const roleChangeId = 'Consent/role';

/**
 * A node stays the kind of K3s node it was installed as: the other kind's unit is `RoleChanged` until
 * consent.roleChange.
 *
 * With consent, step by step, each seen in the world and the unit file last: the old service is stopped and
 * disabled, its token removed, its data moved aside (`/var/lib/rancher/k3s.server-<time>`, so that nothing is lost),
 * its unit removed. Containers of the old role end with the next reboot, as after any stop of K3s.
 */
export function roleChange(node: K3sNode): Resource {
  return {
    id: roleChangeId,
    summary: `take down the old K3s ${otherKind(node)}`,
    condition: 'Role',
    check: (host) => check(host, node),
  };
}

function otherKind({ role }: K3sNode): 'server' | 'agent' {
  return role.k3s === 'server' ? 'agent' : 'server';
}

async function check(host: HostReader, node: K3sNode): Promise<Finding> {
  const other = otherKind(node);
  const unit = unitName(other);
  const unitFile = join(node.paths.system.units, unit);
  if ((await host.stat(unitFile)) === undefined) return inSync();
  if (!node.settings.consent.roleChange) throw roleChanged(node, unit);
  const { ActiveState, UnitFileState } = await showUnit(host, unit, ['ActiveState', 'UnitFileState']);
  if (ActiveState === 'deactivating')
    return waiting('RoleChanged', `${unit} is stopping for good`, { after: 1_000 });
  if (!['inactive', 'failed'].includes(ActiveState) || UnitFileState === 'enabled') {
    const observed = `${ActiveState} and ${UnitFileState}`;
    return step({ field: unit, observed, desired: 'inactive and disabled' }, async (host) => {
      await host.run(systemctl('disable', '--now', '--no-block', unit));
    });
  }
  const { data } = node.paths.k3s;
  if ((await host.stat(data)) !== undefined) {
    const aside = `${data}.${other}-${compact(host.now())}`;
    return step({ field: data, observed: `of a ${other}`, desired: aside }, (host) =>
      putAside(host, node, aside),
    );
  }
  return step({ field: unitFile, observed: 'present', desired: undefined }, (host) => host.remove(unitFile));
}

async function putAside(host: Host, { paths }: K3sNode, aside: string): Promise<void> {
  await host.remove(paths.slipway.joinToken);
  await host.remove(agentTokenPath(paths));
  await host.rename(paths.k3s.data, aside);
}

/** `20260101T120000Z` */
function compact(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
}

function roleChanged(node: K3sNode, unit: string): NodeError {
  const other = otherKind(node);
  return new NodeError(
    'RoleChanged',
    `This VM was installed as a K3s ${other} (${unit}), and the role ${node.role.name} is a K3s ${node.role.k3s}. Nothing was ` +
      'changed. Put the tag k3s-role back, or set consent.roleChange to take the old one down, its data moved aside.',
    { retry: { pace: 'slow' } },
  );
}
