import { type Finding, inSync, type Resource } from '../../engine/resource.ts';
import { type K3sNode, unitName } from '../../node.ts';
import { showUnit } from '../../resources/unit.ts';
import type { Gate, Wish } from './gate.ts';
import { type DueUpgrade, dueUpgrade } from './upgrade/due.ts';
import { upgradeDigest, writeUpgrade } from './upgrade/record.ts';
import { soundVersion } from './upgrade/release.ts';

/**
 * Waits, once the release is downloaded, until the gate lets this node be interrupted, and then records that the
 * upgrade has begun. From then on, a crash does not end the upgrade: the next process goes on with it.
 */
export function upgradeTurn(node: K3sNode, gate: Gate, needs: readonly string[]): Resource {
  return {
    id: 'Upgrade/turn',
    summary: `wait for the turn of this node to upgrade K3s to ${node.version}`,
    condition: 'K3sBinary',
    needs,
    async check(host) {
      const due = await dueUpgrade(host, node);
      const isFetched = due && (await soundVersion(host, node.paths.k3s.next)) === due.to;
      if (!due || !isFetched || due.isBegun) {
        return inSync();
      }
      return (await gate(host, upgradeWish(node))) ?? begin(node, due);
    },
  };
}

/** Returns the wish of a node for another release. */
export function upgradeWish(node: K3sNode): Wish {
  return { kind: 'upgrade', name: `upgrade ${node.version}`, digest: upgradeDigest(node) };
}

function begin(node: K3sNode, { from, to }: DueUpgrade): Finding {
  return {
    state: 'Drifted',
    drift: {
      changes: [{ field: 'upgrade', observed: from, desired: to }],
      summary: `begin the upgrade of K3s from ${from} to ${to}`,
      partial: true,
      blocks: false,
      async remedy(host) {
        const { NRestarts } = await showUnit(host, unitName(node.role.k3s), ['NRestarts']);
        const restarts = Number(NRestarts) || 0;
        const digest = upgradeDigest(node);
        await writeUpgrade(host, node.paths, { wanted: to, from, digest, state: 'begun', restarts });
      },
    },
  };
}
