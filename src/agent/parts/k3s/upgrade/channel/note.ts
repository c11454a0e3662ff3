import * as z from 'zod/mini';
import type { Host, HostReader } from '../../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../../engine/own-file.ts';
import { ownFiles } from '../../../../own-files.ts';
import type { NodePaths } from '../../../../paths.ts';
import { lastVersion } from '../last-version.ts';
import { parseVersion } from '../version.ts';

const release = z.string().check(z.refine((text) => parseVersion(text) !== undefined));

const schema = z.object({
  channel: z.string(),
  /** The release that this node wants, and the one that the channel names. */
  release,
  latest: release,
  /** When the channel was asked, in epoch milliseconds. */
  asked: z.number(),
});

/** The release that a node takes from a channel. */
export type ChannelNote = z.output<typeof schema>;

/** Returns the release that this node has noted for a channel; `undefined` if it has noted none, or another channel. */
export async function readChannelNote(
  host: HostReader,
  { slipway }: NodePaths,
  channel: string | undefined,
): Promise<ChannelNote | undefined> {
  const found = await host.readFile(slipway.channel);
  const note = found && readOwn(schema, found.content);
  return note?.channel === channel ? note : undefined;
}

/** Replaces the note. */
export async function writeChannelNote(
  host: Host,
  { slipway }: NodePaths,
  { ...note }: ChannelNote,
): Promise<void> {
  await host.writeFile(slipway.channel, renderOwn(ownFiles.channel, note), { mode: 0o600 });
}

/**
 * Returns the K3s release that the settings want. With a channel, that is the noted release; without a note, the
 * release of the last start, so that a cluster that runs stays as it is; and before the first start, the name of the
 * channel.
 */
export async function wantedVersion(
  host: HostReader,
  paths: NodePaths,
  { version, channel }: { readonly version?: string | undefined; readonly channel?: string | undefined },
): Promise<string> {
  if (channel === undefined) {
    return version ?? '';
  }
  const note = await readChannelNote(host, paths, channel);
  return note?.release ?? (await lastVersion(host, paths)) ?? channel;
}
