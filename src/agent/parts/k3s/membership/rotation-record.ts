import * as z from 'zod/mini';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { Secret, sensitive } from '../../../engine/secret.ts';
import { ownFiles } from '../../../own-files.ts';
import type { NodePaths } from '../../../paths.ts';
import { parseToken, type Token } from './token.ts';

const digest = z.string().check(z.regex(/^[0-9a-f]{12}$/));
const text = z.string();

const schema = z.object({
  /** The digests of the two tokens (`tokenDigest`). */
  from: digest,
  to: digest,
  /**
   * `wanted` until the datastore is copied. `begun` from the first request to K3s: from then on, the rotation only goes
   * forward. `rotated` once K3s has stored the new token; `done` once K3s has started with it.
   */
  state: z.enum(['wanted', 'begun', 'rotated', 'done']),
  /** The contents of the token file before and after the rotation, until it is done. */
  tokens: z.optional(z.object({ from: text, to: text })),
  /** In the state `rotated`, the start of K3s that has the old token; in `begun`, the last start that was repaired. */
  invocation: z.optional(text),
  /** The digests of the tokens with which K3s did not start, because the datastore has another one. */
  refused: z.optional(z.array(digest)),
});

/** The last rotation of the join token on this server, or the one that is under way. */
export type RotationRecord = Readonly<z.output<typeof schema>>;

/** A rotation that K3s was asked for, and whose end is not known yet. */
export interface OpenRotation extends RotationRecord {
  readonly tokens: { readonly from: string; readonly to: string };
}

/** Returns the record of the last rotation; `undefined` before the first one, or if the record is lost. */
export async function readRotation(
  host: HostReader,
  { slipway }: NodePaths,
): Promise<RotationRecord | undefined> {
  const found = await host.readFile(slipway.tokenRotation);
  return found && readOwn(schema, found.content);
}

/** Replaces the record of the last rotation. The tokens in it are never shown. */
export async function writeRotation(
  host: Host,
  { slipway }: NodePaths,
  { tokens, ...record }: RotationRecord,
): Promise<void> {
  const content = sensitive((show) => {
    const kept = tokens && { from: show(new Secret(tokens.from)), to: show(new Secret(tokens.to)) };
    return renderOwn(ownFiles.tokenRotation, { ...record, ...(kept && { tokens: kept }) });
  });
  await host.writeFile(slipway.tokenRotation, content, { mode: 0o600 });
}

/** Records that K3s has started with the new token, and forgets both tokens. */
export function endRotation(
  host: Host,
  { paths }: { readonly paths: NodePaths },
  record: RotationRecord,
): Promise<void> {
  const { from, to } = record;
  return writeRotation(host, paths, { from, to, state: 'done' });
}

/** True until a rotation that a person has consented to has ended. */
export function isUnderWay(record: RotationRecord | undefined): boolean {
  return record !== undefined && record.state !== 'done';
}

/** True from the first request to K3s until K3s has started with the new token. */
export function isOpen(record: RotationRecord | undefined): record is OpenRotation {
  return (record?.state === 'begun' || record?.state === 'rotated') && record.tokens !== undefined;
}

/** Returns the two tokens of an open rotation; `undefined` for a token that cannot be read. */
export function rotationTokens({ tokens }: OpenRotation): {
  readonly from: Token | undefined;
  readonly to: Token | undefined;
} {
  return { from: parseToken(tokens.from), to: parseToken(tokens.to) };
}
