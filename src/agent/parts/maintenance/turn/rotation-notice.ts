import * as z from 'zod/mini';
import type { HostReader } from '../../../engine/host.ts';
import { parseJson } from '../../../engine/json.ts';
import { type Finding, step, waiting } from '../../../engine/resource.ts';
import type { ApiAccess } from '../../../kubernetes/kubeconfig.ts';
import { annotateLease, type Lease, readLease } from '../../../kubernetes/lease.ts';
import type { K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import type { RotationNotice } from '../../k3s/index.ts';
import type { FleetNode } from './fleet-node.ts';
import { readNodes } from './look.ts';
import { turnsLease } from './turns-lease.ts';

/** The key of the notice of a rotation among the annotations of the Lease. */
export const rotationKey = 'slipway.dev/token-rotation';

const digest = z.string().check(z.regex(/^[0-9a-f]{12}$/));
const notice = z.object({
  /** The server that rotates, and the digests of the tokens. */
  node: z.string().check(z.minLength(1), z.maxLength(253)),
  from: digest,
  to: digest,
});

/** The longest notice that is read, in characters. */
const longest = 1_000;

/**
 * Shows a rotation of the join token in the Lease of turns, so that no two servers rotate at the same time. A notice is
 * written only if the Lease has not changed since it was read. A damaged notice is replaced, and so is the notice of a
 * server whose Node is gone or is no longer a server.
 */
export const rotationNotice: RotationNotice = {
  async shown(host, node, { from, to }) {
    const { lease, holder } = await look(host, await nodeAccess(host, node));
    const found = noticeIn(lease);
    if (holder && holder.name !== node.name) {
      return busy(holder);
    }
    const wanted = { node: node.name, from, to } satisfies z.output<typeof notice>;
    return found?.node === node.name && found.to === to && found.from === from
      ? undefined
      : writeStep(node, lease, wanted);
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

/** The Lease, and the server whose rotation it shows, unless that server has left the cluster. */
interface Look {
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
  return { lease, holder: nodes.find((each) => each.isServer && each.name === name) };
}

function writeStep(node: K3sNode, lease: Lease | undefined, wanted: z.output<typeof notice>): Finding {
  const change = { field: rotationKey, observed: undefined, desired: wanted.to };
  return step(change, async (host) =>
    annotateLease(host, await nodeAccess(host, node), turnsLease, {
      before: lease,
      annotations: { [rotationKey]: JSON.stringify(wanted) },
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

function noticeIn(lease: Lease | undefined): z.output<typeof notice> | undefined {
  const text = lease?.metadata.annotations?.[rotationKey] ?? '';
  return text.length > longest ? undefined : parseJson(notice, text);
}
