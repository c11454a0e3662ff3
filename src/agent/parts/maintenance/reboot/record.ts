import * as z from 'zod/mini';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { ownFiles } from '../../../own-files.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';

const seconds = z.number().check(z.nonnegative());

const record = z.object({
  /** The boot that the reboot was to end. */
  boot: z.string(),
  /** The digest of its cause. */
  cause: z.string(),
  /** The first and the last command to reboot, in seconds since that boot began. */
  since: seconds,
  last: seconds,
});

/**
 * The last reboot that Slipway has ordered. It is written before the order, and stays on the disk until a later boot
 * has lasted a day and nothing asks for a reboot. /run is empty right after each boot, so a cause that a program finds
 * again minutes later would otherwise lead to one reboot after another.
 */
export type RebootRecord = z.output<typeof record>;

/** Reads the record; `undefined` if it is missing or damaged. */
export async function readReboot(
  host: HostReader,
  { slipway }: NodePaths,
): Promise<RebootRecord | undefined> {
  return readOwn(record, await fileText(host, slipway.reboot));
}

export async function writeReboot(host: Host, { slipway }: NodePaths, next: RebootRecord): Promise<void> {
  await host.writeFile(slipway.reboot, renderOwn(ownFiles.reboot, next), { mode: 0o600 });
}
