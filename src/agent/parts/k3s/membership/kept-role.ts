import { join } from 'node:path';
import { rolesWith } from '../../../../roles/index.ts';
import type { Role } from '../../../../roles/role.ts';
import type { HostReader } from '../../../engine/host.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { showUnit } from '../../../resources/unit.ts';
import { isConsented } from '../../../settings/consents.ts';
import { k3sFlags } from '../flags/flags.ts';
import { changeOf, otherKind } from './role-change.ts';

/**
 * Returns the node with a role of the kind, server or agent, that it was installed as. So Slipway maintains the
 * installed K3s until consent.roleChange allows the change, and, while the node is held, until the hold ends;
 * `wantedRole` is then the role that the node should have. A hold does not take a node back whose old K3s is disabled
 * already: a K3s with the old role would then found or join a cluster anew.
 *
 * A role qualifies only if K3s was given all of its labels. Of several such roles, the node gets the one with the most
 * labels. Returns the node unchanged if no role qualifies, or if the node has no unit of the other kind.
 */
export async function keepingRole(
  host: HostReader,
  node: K3sNode,
  isHeld: boolean,
  among: readonly Role[] = rolesWith(node.settings.roles),
): Promise<K3sNode> {
  const kind = otherKind(node);
  if ((await host.stat(join(node.paths.system.units, unitName(kind)))) === undefined) {
    return node;
  }
  const isAllowed = isConsented(node.settings, 'roleChange', await changeOf(host, node));
  if (isAllowed && !(isHeld && (await isEnabled(host, unitName(kind))))) {
    return node;
  }
  const given = (await k3sFlags(host, node.paths)).get('node-label') ?? [];
  const [role] = among
    .filter(({ k3s, labels }) => k3s === kind && labels.every((label) => given.includes(label)))
    .sort((a, b) => b.labels.length - a.labels.length);
  if (role === undefined) {
    return node;
  }
  // A server joins no other server; an agent keeps the server it has joined.
  return { ...node, role, wantedRole: node.role, ...(kind === 'server' && { server: undefined }) };
}

async function isEnabled(host: HostReader, unit: string): Promise<boolean> {
  return (await showUnit(host, unit, ['UnitFileState'])).UnitFileState === 'enabled';
}
