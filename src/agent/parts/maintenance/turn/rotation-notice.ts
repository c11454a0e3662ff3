import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, step, waiting } from '../../../engine/resource.ts';
import { advisory } from '../../../engine/severity.ts';
import type { ApiAccess } from '../../../kubernetes/kubeconfig.ts';
import { annotateLease, type Lease, readLease } from '../../../kubernetes/lease.ts';
import { isOnlyServer, type K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import type { RotationNotice, ShownRotation } from '../../k3s/index.ts';
import type { FleetNode } from './fleet-node.ts';
import { emptyLedger, ledgerKey, readLedger } from './ledger.ts';
import { readNodes } from './look.ts';
import { type Notice, noticeIn, noticeText, rotationKey } from './notice-text.ts';
import { turnsLease } from './turns-lease.ts';

/**
 * Shows a rotation of the join token in the Lease of turns, so that no two servers rotate at the same time. A notice is
 * written only if the Lease has not changed since it was read. A damaged notice is replaced, and so is the notice of a
 * server whose Node is gone or is no longer a server.
 *
 * With several servers, the one that acts for the cluster takes over the notice of the same rotation from another
 * server, which may be lost: K3s stores the same token again without harm. Once the datastore belongs to the new token,
 * no server replaces the notice.
 */
export const rotationNotice: RotationNotice = {
  async shown(host, node, { from, to }) {
    const { nodes, lease, holder } = await look(host, await nodeAccess(host, node));
    const found = noticeIn(lease);
    const isSame = found?.to === to && found.from === from;
    if (found?.stored) {
      return waiting('TurnAwaited', restarting(found.to), { isExpected: true, blocks: false, after: 30_000 });
    }
    if (holder && holder.name !== node.name && (isOnlyServer(node) || !isSame)) {
      return busy(holder);
    }
    if (isSame && found.node === node.name) {
      return undefined;
    }
    const early = isSame || isOnlyServer(node) ? undefined : tooEarly(nodes, lease);
    return early ?? writeStep(node, lease, { node: node.name, from, to });
  },
  async read(host, node) {
    const found = noticeIn(await readLease(host, await nodeAccess(host, node), turnsLease));
    return found && { node: found.node, from: found.from, to: found.to, isStored: found.stored === true };
  },
  async store(host, node, { from, to }) {
    const access = await nodeAccess(host, node);
    const lease = await readLease(host, access, turnsLease);
    const found = noticeIn(lease);
    if (found?.to === to && found.from === from && !found.stored) {
      await annotateLease(host, access, turnsLease, {
        before: lease,
        annotations: { [rotationKey]: noticeText({ ...found, stored: true }) },
      });
    }
  },
  async remove(host, node) {
    const access = await nodeAccess(host, node);
    const lease = await readLease(host, access, turnsLease);
    if (noticeIn(lease)?.node === node.name) {
      await annotateLease(host, access, turnsLease, { before: lease, annotations: { [rotationKey]: '' } });
    }
  },
};

/** True if the Lease shows a rotation of this server. Throws the errors of `readApi`. */
export async function showsRotation(host: HostReader, node: K3sNode): Promise<boolean> {
  const { holder } = await look(host, await nodeAccess(host, node));
  return holder?.name === node.name;
}

/** Removes the notice of any server, if it has not changed since it was read as `shown`. */
export async function removeNotice(host: Host, node: K3sNode, shown: ShownRotation): Promise<void> {
  const access = await nodeAccess(host, node);
  const lease = await readLease(host, access, turnsLease);
  const found = noticeIn(lease);
  if (found?.node === shown.node && found.to === shown.to) {
    await annotateLease(host, access, turnsLease, { before: lease, annotations: { [rotationKey]: '' } });
  }
}

/** The Lease, and the server whose rotation it shows, unless that server has left the cluster. */
interface Look {
  readonly nodes: readonly FleetNode[];
  readonly lease: Lease | undefined;
  readonly holder: FleetNode | undefined;
}

/**
 * Reads the Lease after the Nodes, as `lookAtFleet` does: the granter of the same pass may get the same answers, and
 * relies on this order.
 */
async function look(host: HostReader, access: ApiAccess): Promise<Look> {
  const nodes = await readNodes(host, access);
  const lease = await readLease(host, access, turnsLease);
  const name = noticeIn(lease)?.node;
  return { nodes, lease, holder: nodes.find((each) => each.isServer && each.name === name) };
}

/**
 * Returns the wait while a server is in its turn, does not serve, or was started by another unit than Slipway's: it
 * might start with the old token after the datastore has the new one. The ledger of turns is in the same Lease, so no
 * turn is granted at the same moment.
 */
function tooEarly(nodes: readonly FleetNode[], lease: Lease | undefined): Finding | undefined {
  const adopted = nodes.find(({ isServer, isAdopted }) => isServer && isAdopted)?.name;
  if (adopted !== undefined) {
    return waiting('UnitAdopted', ofOtherUnit(adopted), { ...advisory, after: 30_000 });
  }
  const text = lease?.metadata.annotations?.[ledgerKey];
  const { slots } = (text === undefined ? undefined : readLedger(text)) ?? emptyLedger;
  const inTurn = slots.find(({ server }) => server)?.node;
  const away = nodes.find(({ isServer, serves }) => isServer && !serves)?.name;
  const why = inTurn === undefined ? away && `${away} does not serve` : `${inTurn} is in its turn`;
  return why === undefined
    ? undefined
    : waiting('TurnAwaited', `the rotation of the join token begins once all servers serve; ${why}`, {
        isExpected: true,
        blocks: false,
        after: 10_000,
      });
}

function writeStep(node: K3sNode, lease: Lease | undefined, wanted: Notice): Finding {
  const change = { field: rotationKey, observed: undefined, desired: wanted.to };
  return step(change, async (host) =>
    annotateLease(host, await nodeAccess(host, node), turnsLease, {
      before: lease,
      annotations: { [rotationKey]: noticeText(wanted) },
    }),
  );
}

/** Returns the wait for another server. Reports a failure if that server is not Ready for a while. */
function busy({ name, ready }: FleetNode): Finding {
  const waits = `${name} rotates the join token of the cluster; this server waits until it has ended`;
  if (ready === 'True') {
    return waiting('TurnAwaited', waits, { isExpected: true, blocks: false, after: 30_000 });
  }
  const message =
    `${waits}. But ${name} is not Ready: run slipway status on it. If it is gone for good, this server goes on ` +
    `once its Node is deleted: k3s kubectl delete node ${name}.`;
  return waiting('TokenRotationFailed', message, { blocks: false, after: 30_000 });
}

function ofOtherUnit(name: string): string {
  return (
    `The rotation of the join token begins once Slipway's unit has started K3s on all servers; on ${name}, another unit ` +
    `has, which may not read the new token. Run slipway status there, and when a restart suits: systemctl restart k3s.service.`
  );
}

function restarting(to: string): string {
  return `the servers restart with the join token ${to}; the next rotation waits until all of them have`;
}
