import { parseToken } from '../../src/agent/parts/k3s/membership/token.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import type { Fleet } from './fleet.ts';
import type { FleetNode } from './fleet-node.ts';
import { trueTime } from './machine.ts';
import { isInTurn, readyOf } from './node-object.ts';

/** True if a node has what is wished, serves, and is not in a turn. */
export function isAtWish(fleet: Fleet, node: FleetNode): boolean {
  const { wish } = fleet;
  const { config, version } = node.k3s.startedWith;
  const isReady = node.object !== undefined && readyOf(node.object) === 'True';
  const isUp = node.k3s.state === 'active' && isReady && !isInTurn(node.object);
  const isCurrent = hasValidLeaves(fleet, node) && hasToken(fleet, node) && hasRebooted(fleet, node);
  return isUp && isCurrent && config === wish.config && version === wish.version;
}

/** True if no reboot is asked for, or if the node says that it does not reboot again. */
function hasRebooted({ daemons }: Fleet, node: FleetNode): boolean {
  const conditions = daemons.find((daemon) => daemon.node === node)?.conditions ?? [];
  return !node.reboots.isAsked || conditions.some(({ reason }) => reason === 'RebootFailed');
}

/**
 * True if a server has the token to which a person has consented, its K3s accepts it, and it reports another token in
 * the vault; on an agent, true if it has the token that the K3s of the server accepts.
 */
function hasToken({ plan, wish, vault, daemons, api }: Fleet, node: FleetNode): boolean {
  if (!plan.hasTokens) {
    return true;
  }
  const { passwords, machine } = node;
  const { token } = wish;
  const found = parseToken(machine.files.text(nodePaths('/').slipway.joinToken) ?? '')?.credential;
  if (passwords === undefined) {
    return found !== undefined && api.nodes[0]?.passwords?.accepts(found) === true;
  }
  const daemon = daemons.find((each) => each.node === node);
  const says = daemon?.conditions.some(({ reason }) => reason === 'TokenChanged') ?? false;
  const isKept = found === token && passwords.accepts(token) && passwords.belongsTo(token);
  return isKept && (vault.secrets.get('k3s-token') === token || says);
}

/** True if no certificate of a node is due, or if K3s has not renewed one and the node says so. */
function hasValidLeaves({ timeline, daemons }: Fleet, node: FleetNode): boolean {
  const { leaves } = node;
  const conditions = daemons.find((daemon) => daemon.node === node)?.conditions ?? [];
  const says = conditions.some(
    ({ type, reason }) => type === 'Certificates' && reason === 'CertificateNotRenewed',
  );
  return !leaves.isDue(trueTime(timeline)) || (leaves.isStuck && says);
}
