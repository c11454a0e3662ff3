import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource } from '../../engine/resource.ts';
import { type K3sNode, unitName } from '../../node.ts';
import { showUnit } from '../../resources/unit.ts';
import type { Gate, Wish } from './gate.ts';
import { type DueUpgrade, dueUpgrade, isUnfinished } from './upgrade/due.ts';
import { readUpgrade, type UpgradeRecord, upgradeDigest, writeUpgrade } from './upgrade/record.ts';
import { soundVersion } from './upgrade/release.ts';

/**
 * Waits, once the release is downloaded, until the gate lets this node be interrupted, and then records that the
 * upgrade has begun. From then on, a crash does not end the upgrade: the next process goes on with it. Asks the gate
 * until the upgrade is verified or given up.
 */
export function upgradeTurn(node: K3sNode, gate: Gate, needs: readonly string[]): Resource {
  return {
    id: 'Upgrade/turn',
    summary: `wait for the turn of this node to upgrade K3s to ${node.version}`,
    condition: 'K3sBinary',
    needs,
    async check(host) {
      const begun = await begunUpgrade(host, node);
      if (begun) {
        // A turn ends once nothing asks for it; what the gate answers matters only before the upgrade.
        await gate(host, upgradeWish(begun.wanted, begun.digest)).catch(unlessNodeError);
        return inSync();
      }
      const due = await dueUpgrade(host, node);
      if (!due || (await soundVersion(host, node.paths.k3s.next)) !== due.to) {
        return inSync();
      }
      return (await gate(host, upgradeWish(due.to, upgradeDigest(node)))) ?? begin(node, due);
    },
  };
}

/**
 * Returns why this node took back the upgrade with this digest (`upgradeDigest`); `undefined` if it did not take it
 * back.
 */
export async function upgradeTakenBack(
  host: HostReader,
  { paths }: Pick<K3sNode, 'paths'>,
  digest: string,
): Promise<string | undefined> {
  const record = await readUpgrade(host, paths);
  return record?.state === 'rolledBack' && record.digest === digest ? record.why : undefined;
}

function unlessNodeError(thrown: unknown): void {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
}

/** Returns the wish of a node for another release. */
function upgradeWish(release: string, digest: string): Wish {
  return { kind: 'upgrade', name: `upgrade ${release}`, digest };
}

/** Returns the record of an upgrade from its begin until it is verified or given up; otherwise `undefined`. */
async function begunUpgrade(host: HostReader, node: K3sNode): Promise<UpgradeRecord | undefined> {
  const record = await readUpgrade(host, node.paths);
  if (record?.state !== 'begun') {
    return undefined;
  }
  const isInPlace = isUnfinished(record, await soundVersion(host, node.paths.k3s.binary));
  return isInPlace || (await dueUpgrade(host, node))?.isBegun ? record : undefined;
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
