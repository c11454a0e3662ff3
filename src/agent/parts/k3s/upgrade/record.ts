import * as z from 'zod/mini';
import { shortDigest } from '../../../engine/digest.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { remembering } from '../../../engine/remembering.ts';
import type { K3sNode } from '../../../node.ts';
import { ownFiles } from '../../../own-files.ts';
import type { NodePaths } from '../../../paths.ts';

const text = z.string();

const schema = z.object({
  /** The release to which the node goes, and the one from which it comes. */
  wanted: text,
  from: text,
  /** The digest of the wish (`upgradeDigest`) for which the release is wanted. */
  digest: text,
  /**
   * `begun` until the new release is verified, then `done`. `rolledBack` if the node goes, or went, back to `from`.
   * `gaveUp` if the new release does not come up and the node does not go back by itself.
   */
  state: z.enum(['begun', 'done', 'rolledBack', 'gaveUp']),
  /** Why the new release was given up. */
  why: z.optional(text),
  /** Why the datastore could not be copied after the upgrade had begun, so that the turn is given up. */
  declined: z.optional(text),
  /** How often systemd had restarted K3s by itself when the upgrade began (`NRestarts`). */
  restarts: z.number(),
  /**
   * The start of K3s in which the node was healthy, how often systemd had restarted K3s by then, and the time since
   * which the node has been healthy, in milliseconds since the boot.
   */
  held: z.optional(z.object({ invocation: text, restarts: z.number(), since: z.number() })),
});

/** The last upgrade of K3s on this node, or the one that is under way. */
export type UpgradeRecord = z.output<typeof schema>;

/** Returns the record of the last upgrade; `undefined` if the node was never upgraded, or if the record is lost. */
export async function readUpgrade(
  host: HostReader,
  { slipway }: NodePaths,
): Promise<UpgradeRecord | undefined> {
  const found = await host.readFile(slipway.upgrade);
  return found && parsed(found.content, slipway.upgrade);
}

const parsed = remembering((content) => readOwn(schema, content));

/** Replaces the record of the last upgrade. */
export async function writeUpgrade(
  host: Host,
  { slipway }: NodePaths,
  { ...record }: UpgradeRecord,
): Promise<void> {
  await host.writeFile(slipway.upgrade, renderOwn(ownFiles.upgrade, record), { mode: 0o600 });
}

/**
 * Returns a digest of a wanted release, as 12 hexadecimal digits: of its name, its source, and the keys that the
 * settings give K3s. A release that was given up is tried again once the digest changes.
 */
export function upgradeDigest({ version, settings }: Pick<K3sNode, 'version' | 'settings'>): string {
  const { releaseUrl, config } = settings.k3s;
  return shortDigest(JSON.stringify([version, releaseUrl, Object.entries(config).sort()]));
}

/** Returns the reason with which the datastore is copied before an upgrade to this release. */
export function copyReason(wanted: string): string {
  return `upgrade ${wanted}`;
}

/** True if the record says that the node gave up the release that it wants, and the wish is still the same. */
export function isGivenUp(
  record: UpgradeRecord | undefined,
  node: Pick<K3sNode, 'version' | 'settings'>,
): record is UpgradeRecord {
  return (
    record !== undefined &&
    (record.state === 'rolledBack' || record.state === 'gaveUp') &&
    record.wanted === node.version &&
    record.digest === upgradeDigest(node)
  );
}
