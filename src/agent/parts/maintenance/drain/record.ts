import * as z from 'zod/mini';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { ownFiles } from '../../../own-files.ts';
import type { NodePaths } from '../../../paths.ts';
import type { BootTime } from '../boot-time.ts';

const words = z.string().check(z.maxLength(2_000));
const seconds = z.number().check(z.nonnegative());

const record = z.object({
  turn: z.string().check(z.minLength(1), z.maxLength(200)),
  boot: z.string(),
  since: seconds,
  round: z.optional(seconds),
  forced: z.optional(seconds),
  refused: z.record(z.string(), z.object({ says: words, until: z.optional(seconds) })),
  end: z.optional(z.object({ how: z.enum(['drained', 'wentOn', 'gaveUp']), message: words })),
});

/**
 * The progress of a drain, as far as the API does not show it. All times are seconds since the boot (`bootTime`), so
 * that a restart of Slipway does not begin the drain anew, and a changed clock does not prolong it.
 *
 * `turn` is the turn to which the drain belongs; `since` is its start, `round` its last attempt to evict pods, `forced`
 * the first deletion despite the budgets. `refused` has the refusals of the last attempt, by the uid of the pod: with
 * `until`, the pod is tried again at that time, otherwise never.
 */
export type DrainRecord = z.output<typeof record>;

/** Reads the record of this turn's drain; `undefined` if it is missing or damaged, or began before a reboot. */
export async function readRecord(
  host: HostReader,
  { slipway }: NodePaths,
  turn: string,
  { boot }: BootTime,
): Promise<DrainRecord | undefined> {
  const text = (await host.readFile(slipway.drain))?.content;
  const found = text === undefined ? undefined : readOwn(record, text);
  return found?.turn === turn && found.boot === boot ? found : undefined;
}

export async function writeRecord(host: Host, { slipway }: NodePaths, next: DrainRecord): Promise<void> {
  await host.writeFile(slipway.drain, renderOwn(ownFiles.drain, next), { mode: 0o600 });
}
