import { join } from 'node:path';
import type { Role } from '../../../../roles/role.ts';
import { compactTime } from '../../../engine/compact-time.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource, step, waiting } from '../../../engine/resource.ts';
import { forPerson } from '../../../engine/severity.ts';
import { isServer, type K3sNode, unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { showUnit, systemctl } from '../../../resources/unit.ts';
import { consentAdvice, isConsented } from '../../../settings/consents.ts';
import { movedAside } from '../teardown/moved-aside.ts';
import { pinnedCa } from './ca.ts';
import { parseToken } from './token.ts';
import { agentTokenPath } from './token-paths.ts';

type Kind = Role['k3s'];

const roleChangeId = 'Consent/role';

/**
 * Returns the next step before an agent leaves its cluster; `undefined` once K3s may stop. `why` names the change, and
 * is the same in each pass.
 */
export type Emptied = (host: HostReader, node: K3sNode, why: string) => Promise<Finding | undefined>;

/** Returns the wait for the end of a hold of the node; `undefined` without a hold. */
export type Held = (host: HostReader, node: K3sNode) => Promise<Finding | undefined>;

/** What a change of role needs of the part that interrupts nodes. */
export interface RoleChangePorts {
  readonly emptied: Emptied;
  readonly held: Held;
}

/**
 * Keeps the kind of K3s node, server or agent, that this VM was installed as. Throws `RoleChanged` if the unit of the
 * other kind exists, until consent.roleChange names both kinds and the cluster that the node leaves, as in
 * `server-to-agent@3f2a9c1b2d4e`.
 *
 * With consent, the change takes several steps, each of which is checked on the machine: an agent that has joined is
 * emptied (`emptied`), so that its pods continue on other nodes; the old service is stopped and disabled, the token
 * files and the records about tokens are removed, the data is moved aside (to `/var/lib/rancher/k3s.server-<time>`,
 * so that nothing is lost), and finally the unit file of the old service is removed. Containers of the old role run
 * until the next reboot, as after any stop of K3s.
 */
export function roleChange(node: K3sNode, needs: readonly string[], ports: RoleChangePorts): Resource {
  return {
    id: roleChangeId,
    summary: `take down the old K3s ${otherKind(node)}`,
    condition: 'Role',
    needs,
    check: (host) => checkRole(host, node, ports),
  };
}

/** Returns the kind of K3s node that this node is not to be. */
export function otherKind({ role }: K3sNode): Kind {
  return isServer({ role }) ? 'agent' : 'server';
}

async function checkRole(
  host: HostReader,
  node: K3sNode,
  { emptied, held }: RoleChangePorts,
): Promise<Finding> {
  if (node.wantedRole) {
    return keptRole(host, node, { ...node, role: node.wantedRole }, held);
  }
  const other = otherKind(node);
  const unit = unitName(other);
  const unitFile = join(node.paths.system.units, unit);
  if ((await host.stat(unitFile)) === undefined) {
    return inSync();
  }
  const change = await changeOf(host, node);
  if (!isConsented(node.settings, 'roleChange', change)) {
    throw roleChanged(node, unit, change);
  }
  const { ActiveState, UnitFileState } = await showUnit(host, unit, ['ActiveState', 'UnitFileState']);
  if (ActiveState === 'deactivating') {
    return waiting('RoleChanged', `${unit} is stopping for good`, { after: 1_000 });
  }
  const leaving =
    ActiveState === 'active' && other === 'agent' && (await emptied(host, asAgent(node), change));
  if (leaving) {
    return blocking(leaving);
  }
  if (!['inactive', 'failed'].includes(ActiveState) || UnitFileState === 'enabled') {
    const observed = `${ActiveState} and ${UnitFileState}`;
    return step({ field: unit, observed, desired: 'inactive and disabled' }, async (host) => {
      await host.run(systemctl('disable', '--now', '--no-block', unit));
    });
  }
  const { data } = node.paths.k3s;
  if ((await host.stat(data)) !== undefined) {
    const aside = `${data}.${other}-${compactTime(host.now())}`;
    return step({ field: data, observed: `of a ${other}`, desired: aside }, (host) =>
      putAside(host, node, aside),
    );
  }
  return step({ field: unitFile, observed: 'present', desired: undefined }, (host) => host.remove(unitFile));
}

/** Reports why the node keeps its role: the change is not consented to, or it has not begun, and the node is held. */
async function keptRole(host: HostReader, node: K3sNode, wanted: K3sNode, held: Held): Promise<Finding> {
  const change = await changeOf(host, wanted);
  if (!isConsented(node.settings, 'roleChange', change)) {
    throw roleChanged(wanted, unitName(node.role.k3s), change).nonBlocking();
  }
  const soon = waiting('RoleChanged', 'the change of role begins now', { blocks: false, after: 1_000 });
  return (await held(host, node)) ?? soon;
}

/** Returns the node as the agent that it still is, with the rights of an agent in its cluster. */
function asAgent(node: K3sNode): K3sNode {
  return { ...node, role: { ...node.role, k3s: 'agent', gitops: false } };
}

/** Makes everything else wait, because K3s must not start in its new role meanwhile. */
function blocking(finding: Finding): Finding {
  switch (finding.state) {
    case 'Drifted':
      return { ...finding, drift: { ...finding.drift, partial: true, blocks: true } };
    case 'Waiting':
      return { ...finding, blocks: true };
    default:
      return finding;
  }
}

/**
 * Returns the word that consent.roleChange must contain. If the CA of the cluster is known, the word names it, so that
 * consent does not cover a later cluster of this VM.
 */
export async function changeOf(host: HostReader, node: K3sNode): Promise<string> {
  const other = otherKind(node);
  const cluster = await clusterOf(host, node.paths, other);
  return `${other}-to-${node.role.k3s}${cluster === undefined ? '' : `@${cluster.slice(0, 12)}`}`;
}

/**
 * Returns the hash of the CA of the cluster that the node leaves, even after the K3s data was moved aside; `undefined`
 * if K3s never joined or founded one.
 */
async function clusterOf(host: HostReader, paths: NodePaths, kind: Kind): Promise<string | undefined> {
  const aside = (await movedAside(host, paths)).filter((path) =>
    path.startsWith(`${paths.k3s.data}.${kind}-`),
  );
  for (const data of [paths.k3s.data, ...aside.toReversed()]) {
    const token = (await host.readFile(join(data, 'server/token')))?.content;
    const ca = (await host.readFile(join(data, 'agent/server-ca.crt')))?.content;
    const hash = kind === 'server' ? parseToken(token ?? '')?.caHash : ca && pinnedCa(ca).hash;
    if (hash) {
      return hash;
    }
  }
  return undefined;
}

async function putAside(host: Host, { paths }: K3sNode, aside: string): Promise<void> {
  await host.remove(paths.slipway.joinToken);
  await host.remove(agentTokenPath(paths));
  // The next cluster of this VM must not use the tokens of this one.
  await host.remove(paths.slipway.tokenRotation);
  await host.remove(paths.slipway.passwordsSaved);
  await host.rename(paths.k3s.data, aside);
}

function roleChanged(node: K3sNode, unit: string, change: string): NodeError {
  const other = otherKind(node);
  return new NodeError(
    'RoleChanged',
    `This VM was installed as a K3s ${other} (${unit}), and the role ${node.role.name} is a K3s ${node.role.k3s}. Nothing was ` +
      `changed. Put the tag k3s-role back, or, to take the K3s ${other} down and move its data aside, ` +
      `${consentAdvice(node.settings, 'roleChange', change)}.`,
    forPerson,
  );
}
