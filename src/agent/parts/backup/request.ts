import * as z from 'zod/mini';
import type { Host, HostReader } from '../../engine/host.ts';
import { readOwn, renderOwn } from '../../engine/own-file.ts';
import { ownFiles } from '../../own-files.ts';
import type { NodePaths } from '../../paths.ts';
import { fileText } from '../../resources/file-text.ts';

const request = z.object({ at: z.string() });

/** Asks the daemon for a backup now. The daemon notices the file at once, because it is beside the settings. */
export async function requestBackup(host: Host, { slipway }: NodePaths): Promise<void> {
  const at = new Date(host.now()).toISOString();
  await host.writeFile(slipway.backupRequest, renderOwn(ownFiles.backupRequest, { at }), { mode: 0o600 });
}

/** Takes back the request for a backup, so that the daemon does not begin it later. */
export async function takeBack(host: Host, { slipway }: NodePaths): Promise<void> {
  await host.remove(slipway.backupRequest);
}

/** True if a person has asked for a backup that has not begun yet. */
export async function isRequested(host: HostReader, { slipway }: NodePaths): Promise<boolean> {
  return readOwn(request, await fileText(host, slipway.backupRequest)) !== undefined;
}
