import * as z from 'zod/mini';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { ownFiles } from '../../../own-files.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import type { BootTime } from '../boot-time.ts';

/** How long a reboot is remembered at least, in seconds of uptime. */
export const day = 86_400;

const seconds = z.number().check(z.nonnegative());

const record = z.object({
  /** The boot that the reboot was to end. */
  boot: z.string(),
  /** The digest of its cause. */
  cause: z.string(),
  /** The first and the last command to reboot, in seconds since that boot began. */
  since: seconds,
  last: seconds,
  /**
   * The reboots that this one follows within a day, with the digests of their causes: two causes that come back in
   * turn would otherwise lead to one reboot after another.
   */
  earlier: z._default(
    z.array(
      z.object({
        cause: z.string(),
        /** The seconds from the boot that it led to until the command of `last`; the machine was up all that time. */
        age: seconds,
      }),
    ),
    [],
  ),
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

/** Returns the reboots before the one that is ordered in this boot, except those that are a day old. */
export function rebootsBefore(
  known: RebootRecord | undefined,
  { boot, seconds }: BootTime,
): RebootRecord['earlier'] {
  if (known === undefined || known.boot === boot) {
    return known?.earlier ?? [];
  }
  const aged = known.earlier.map(({ cause, age }) => ({ cause, age: age + seconds }));
  return [...aged, { cause: known.cause, age: seconds }].filter(({ age }) => age < day);
}

export async function writeReboot(host: Host, { slipway }: NodePaths, next: RebootRecord): Promise<void> {
  await host.writeFile(slipway.reboot, renderOwn(ownFiles.reboot, next), { mode: 0o600 });
}
