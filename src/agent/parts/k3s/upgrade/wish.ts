import type { HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import type { Wish } from '../gate.ts';
import { isUnfinished } from './due.ts';
import { readUpgrade, type UpgradeRecord } from './record.ts';
import { soundVersion } from './release.ts';

/** Returns the wish of a node for another release. */
export function upgradeWish({ wanted, digest }: Pick<UpgradeRecord, 'wanted' | 'digest'>): Wish {
  return { kind: 'upgrade', name: `upgrade ${wanted}`, digest };
}

/**
 * Returns the wish of an upgrade whose release is in place, but neither verified nor given up yet; otherwise
 * `undefined`. Meanwhile, a restart has this wish, because the node has its turn for it.
 */
export async function wishInPlace(host: HostReader, { paths }: K3sNode): Promise<Wish | undefined> {
  const record = await readUpgrade(host, paths);
  const isInPlace = isUnfinished(record, await soundVersion(host, paths.k3s.binary));
  return record && isInPlace ? { ...upgradeWish(record), isInPlace } : undefined;
}
