/**
 * The work of the child process that copies, reads, compresses or decompresses a database: its form on the command
 * line, and its answer on standard output.
 */
import * as z from 'zod/mini';
import type { Reason } from '../../engine/reasons.ts';

const queries = z.record(z.string(), z.string());
const snapshotQueries = z.record(
  z.string(),
  z.union([z.literal('revision'), z.object({ count: z.string() }), z.object({ names: z.string() })]),
);

/** What the child has to do. It is one argument of the hidden command `slipway database`, and contains no secret. */
export const databaseWork = z.discriminatedUnion('do', [
  z.object({ do: z.literal('read'), root: z.string(), path: z.string(), queries }),
  z.object({ do: z.literal('readSnapshot'), root: z.string(), path: z.string(), queries: snapshotQueries }),
  z.object({
    do: z.literal('copy'),
    root: z.string(),
    from: z.string(),
    to: z.string(),
    queries,
    room: z.number(),
  }),
  z.object({
    do: z.enum(['compress', 'decompress']),
    root: z.string(),
    from: z.string(),
    to: z.string(),
    limit: z.number(),
  }),
]);

export type DatabaseWork = z.output<typeof databaseWork>;

/** The reasons of the errors that the child reports. */
const childReasons = [
  ...(['DatabaseDamaged', 'DiskFull', 'ReadOnly', 'PermissionDenied'] as const),
  ...(['FileSystemError', 'InternalError'] as const),
] satisfies readonly Reason[];

/** Returns the reason of an error for the answer of the child. */
export function childReason(reason: Reason): (typeof childReasons)[number] {
  return childReasons.find((each) => each === reason) ?? 'InternalError';
}

const fileDigest = z.object({ bytes: z.number(), sha256: z.string() });

/** The answer of the child: facts, two digests, a missing file, or the reason and the message of an error. */
export const databaseAnswer = z.union([
  z.object({
    facts: z.object({
      bytes: z.number(),
      sha256: z.string(),
      answers: z.record(z.string(), z.readonly(z.array(z.string()))),
    }),
  }),
  z.object({ compressed: z.object({ plain: fileDigest, packed: fileDigest }) }),
  z.object({ missing: z.literal(true) }),
  z.object({ reason: z.enum(childReasons), message: z.string(), isForPerson: z.boolean() }),
]);

export type DatabaseAnswer = z.output<typeof databaseAnswer>;
