import type { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import { type K3sNode, unitName } from '../../node.ts';
import { showUnit } from '../../resources/unit.ts';
import type { Gate, Wish } from './gate.ts';
import { type CopyLack, copyFor } from './upgrade/copied.ts';
import { type DueUpgrade, dueUpgrade } from './upgrade/due.ts';
import { isGivenUp, readUpgrade, type UpgradeRecord, upgradeDigest, writeUpgrade } from './upgrade/record.ts';
import { soundVersion } from './upgrade/release.ts';
import { upgradeWish, wishInPlace } from './upgrade/wish.ts';

export interface UpgradeTurnPorts {
  readonly gate: Gate;
  /** Checks, before the node asks for a turn, whether the datastore can be copied. If absent, nothing is checked. */
  readonly lack?: CopyLack;
}

/**
 * Waits, once the release is downloaded, until the gate allows the interruption, and then records that the upgrade has
 * begun. From then on, a crash does not end the upgrade: the next process goes on with it. Asks for no turn while the
 * datastore cannot be copied, and gives up a turn in which the copy has failed.
 *
 * Until the release is in place, the gate is asked again in each pass. If the gate is closed, as after a person has
 * released the turn or after a reboot has undone the drain, the upgrade no longer counts as begun. Afterwards, the wish
 * keeps the turn until the upgrade is verified or given up, and the restart asks the gate.
 */
export function upgradeTurn(
  node: K3sNode,
  { gate, lack }: UpgradeTurnPorts,
  needs: readonly string[],
): Resource {
  return {
    id: 'Upgrade/turn',
    summary: `wait for the turn of this node to upgrade K3s to ${node.version}`,
    condition: 'K3sBinary',
    needs,
    async check(host) {
      const made = await wishInPlace(host, node);
      if (made) {
        await gate(host, { ...made, isMade: true });
        return inSync();
      }
      const due = await dueUpgrade(host, node);
      if (due?.isBegun) {
        return isStillOpen(host, node, gate);
      }
      if (!due || (await soundVersion(host, node.paths.k3s.next)) !== due.to) {
        return inSync();
      }
      const wish = upgradeWish({ wanted: due.to, digest: upgradeDigest(node) });
      const lacking = await copyFor(host, node, due, lack);
      return lacking
        ? withoutTurn(host, gate, wish, lacking)
        : ((await gate(host, wish)) ?? begin(node, due));
    },
  };
}

/**
 * Asks the gate again before the executable is replaced. If the gate is closed or the copy has failed, returns the
 * steps that withdraw the upgrade.
 */
async function isStillOpen(host: HostReader, node: K3sNode, gate: Gate): Promise<Finding> {
  const record = await readUpgrade(host, node.paths);
  if (record?.declined !== undefined) {
    const givenUp = `${record.declined} The node tries again in its next turn.`;
    return (await gate(host, { ...upgradeWish(record), givenUp })) ?? notBegun(node, record);
  }
  const closed = record && (await gate(host, upgradeWish(record)));
  return closed ? notBegun(node, record) : inSync();
}

/** Gives up a turn that has begun, and otherwise waits until the copy of the datastore is possible. */
async function withoutTurn(
  host: HostReader,
  gate: Gate,
  wish: Wish,
  { reason, message }: NodeError,
): Promise<Finding> {
  const step = await gate(host, { ...wish, givenUp: message });
  return step ?? waiting(reason, message, { ...advisory, after: 30_000 });
}

function notBegun({ paths }: K3sNode, { wanted, from }: UpgradeRecord): Finding {
  return {
    state: 'Drifted',
    drift: {
      changes: [{ field: 'upgrade', observed: wanted, desired: from }],
      summary: `wait for another turn to upgrade K3s to ${wanted}`,
      partial: true,
      blocks: false,
      remedy: (host) => host.remove(paths.slipway.upgrade),
    },
  };
}

/** Returns why this node rolled back the upgrade with this digest (`upgradeDigest`); `undefined` if it did not. */
export async function upgradeTakenBack(
  host: HostReader,
  { paths }: Pick<K3sNode, 'paths'>,
  digest: string,
): Promise<string | undefined> {
  const record = await readUpgrade(host, paths);
  return record?.state === 'rolledBack' && record.digest === digest ? record.why : undefined;
}

/** Returns the upgrade that this node rolled back and does not try again, or `undefined`. */
export async function upgradeUndone(
  host: HostReader,
  node: Pick<K3sNode, 'paths' | 'version' | 'settings'>,
): Promise<{ readonly wish: string; readonly digest: string; readonly why: string } | undefined> {
  const record = await readUpgrade(host, node.paths);
  if (!isGivenUp(record, node) || record.state !== 'rolledBack') {
    return undefined;
  }
  return { wish: upgradeWish(record).name, digest: record.digest, why: record.why ?? '' };
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
