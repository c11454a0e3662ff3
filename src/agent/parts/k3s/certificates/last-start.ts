import { dirname } from 'node:path';
import * as z from 'zod/mini';
import type { HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import type { StartNote } from '../service/start-sources.ts';
import { readStamp } from '../service/start-stamp.ts';
import { type Certificate, certificateFiles } from './certificate-files.ts';
import { renewalTimes } from './renewal-times.ts';

/** The last start of K3s. Times are in epoch milliseconds. */
export interface LastStart {
  readonly at: number;
  /** When each leaf certificate ends, as read just before the start; `undefined` if the start was not recorded. */
  readonly ends: Readonly<Record<string, number>> | undefined;
}

const noteName = 'certificates';
const note = z.object({ at: z.number(), ends: z.record(z.string(), z.number()) });

/** Records, in the stamp of a start of K3s, the ends of the leaf certificates as they are before K3s may renew them. */
export const certificateNote: StartNote = {
  name: noteName,
  async read(host, paths): Promise<z.output<typeof note>> {
    const { certificates } = await certificateFiles(host, paths);
    const leaves = certificates.filter(({ kind }) => kind === 'leaf');
    return { at: host.now(), ends: Object.fromEntries(leaves.map(({ name, ends }) => [name, ends])) };
  },
};

/**
 * Returns the start of K3s with this id, as recorded in its stamp. Without a record, as after a start with an older
 * Slipway, only the time of the start is known, from the directory that systemd makes at each start. Returns
 * `undefined` if not even the directory exists.
 */
export async function lastStart(
  host: HostReader,
  { paths }: Pick<K3sNode, 'paths'>,
  invocationId: string,
): Promise<LastStart | undefined> {
  const stamp = await readStamp(host, paths, invocationId);
  const noted = z.safeParse(note, stamp?.notes[noteName]);
  if (noted.success) {
    return noted.data;
  }
  const directory = await host.stat(dirname(paths.k3s.stamp));
  return directory && { at: directory.modifiedAt, ends: undefined };
}

/** Returns the certificate with the time of its issue: not before the last start, if that start renewed it. */
export function issuedAt(leaf: Certificate, { at, ends }: LastStart): Certificate {
  const before = ends?.[leaf.name];
  const isRenewed = before !== undefined && before !== leaf.ends && at < leaf.ends;
  return isRenewed ? { ...leaf, issued: Math.max(leaf.issued, at) } : leaf;
}

/**
 * True if the certificate was already due at the last start and this start did not renew it. Another start would not
 * renew it either.
 */
export function isStuck(leaf: Certificate, { at, ends }: LastStart, window: number): boolean {
  const before = ends?.[leaf.name];
  return at >= renewalTimes(leaf, window).due && (ends === undefined || before === leaf.ends);
}
