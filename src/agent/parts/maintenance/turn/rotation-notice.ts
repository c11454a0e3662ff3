import * as z from 'zod/mini';
import { parseJson } from '../../../engine/json.ts';
import { type Finding, step, waiting } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import type { RotationNotice } from '../../k3s/index.ts';
import { annotateLease, type Lease, readLease } from './lease.ts';

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
 * written only if the Lease has not changed since it was read. A damaged notice is replaced.
 */
export const rotationNotice: RotationNotice = {
  async shown(host, node, { from, to }) {
    const lease = await readLease(host, await nodeAccess(host, node));
    const found = noticeIn(lease);
    if (found !== undefined && found.node !== node.name && found.to !== to) {
      return busy(found.node);
    }
    const wanted = { node: node.name, from, to } satisfies z.output<typeof notice>;
    return found?.node === node.name && found.to === to && found.from === from
      ? undefined
      : writeStep(node, lease, wanted);
  },
  async remove(host, node) {
    const access = await nodeAccess(host, node);
    const lease = await readLease(host, access);
    if (noticeIn(lease)?.node === node.name) {
      await annotateLease(host, access, lease, { [rotationKey]: '' });
    }
  },
};

function writeStep(node: K3sNode, lease: Lease | undefined, wanted: z.output<typeof notice>): Finding {
  const change = { field: rotationKey, observed: undefined, desired: wanted.to };
  return step(change, async (host) =>
    annotateLease(host, await nodeAccess(host, node), lease, { [rotationKey]: JSON.stringify(wanted) }),
  );
}

function busy(other: string): Finding {
  const message = `${other} rotates the join token of the cluster; this server waits until it has ended`;
  return waiting('TurnAwaited', message, { isExpected: true, blocks: false, after: 30_000 });
}

function noticeIn(lease: Lease | undefined): z.output<typeof notice> | undefined {
  const text = lease?.metadata.annotations?.[rotationKey] ?? '';
  return text.length > longest ? undefined : parseJson(notice, text);
}
