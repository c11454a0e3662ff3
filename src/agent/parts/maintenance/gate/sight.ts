import * as z from 'zod/mini';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { ownFiles } from '../../../own-files.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import { type BootTime, bootTime } from '../boot-time.ts';

const sight = z.object({
  boot: z.string(),
  /** The grant that was seen, and the seconds since the boot at its first sight. */
  seen: z.optional(z.object({ nonce: z.string(), at: z.number() })),
  /** The last restart without a turn: what it was for, and the start of K3s that it ended. */
  repaired: z.optional(z.object({ cause: z.string(), invocation: z.string() })),
});

/**
 * What a node remembers of its turns in this boot, as far as its Node does not show it. Times are seconds since the
 * boot, so that neither a changed clock nor a restart of Slipway prolongs a grant.
 */
export type Sight = z.output<typeof sight>;

/** Reads what the node remembers; nothing after a reboot, or if the file is lost or damaged. */
export async function readSight(host: HostReader, { slipway }: NodePaths): Promise<Sight> {
  const { boot } = await bootTime(host);
  const found = readOwn(sight, await fileText(host, slipway.turn));
  return found?.boot === boot ? found : { boot };
}

/** Adds to what the node remembers. */
export async function remember(
  host: Host,
  paths: NodePaths,
  more: Partial<Omit<Sight, 'boot'>>,
): Promise<void> {
  const next = { ...(await readSight(host, paths)), ...more };
  await host.writeFile(paths.slipway.turn, renderOwn(ownFiles.turn, next), { mode: 0o600 });
}

/** Returns the seconds since the first sight of a grant; 0 if it was not seen before. */
export function secondsSince({ seen }: Sight, nonce: string, { seconds }: BootTime): number {
  return seen?.nonce === nonce ? seconds - seen.at : 0;
}
