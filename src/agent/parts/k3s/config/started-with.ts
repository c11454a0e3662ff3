import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { unitName } from '../../../node.ts';
import { ownFiles } from '../../../own-files.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import { foreignUnit } from '../flags/foreign-unit.ts';
import { type GuardedValues, guardedValues } from '../flags/guarded-keys.ts';
import { presentFlags } from '../flags/start-flags.ts';

/**
 * The guarded keys of a server's configuration as K3s was given them: at the first start of its datastore, and at the
 * last.
 */
export interface StartedWith {
  readonly first: GuardedValues;
  readonly last: GuardedValues;
}

/**
 * Notes, in K3s' own data, the values that a server is about to start with; an agent's start is not noted.
 *
 * The note stays with the datastore: moved aside, removed or mounted with it.
 */
export async function noteStart(host: Host, paths: NodePaths): Promise<void> {
  if ((await host.stat(join(paths.system.units, unitName('server')))) === undefined) {
    return;
  }
  const last = await guardedValues(await presentFlags(host, { kind: 'server', paths }));
  // A start before the cluster exists may have failed because of these values.
  const isCluster = (await host.stat(paths.k3s.serverToken)) !== undefined;
  const first = (isCluster && (await readNote(host, paths))?.first) || last;
  const text = renderOwn(ownFiles.startedWith, { first, last });
  await host.writeFile(paths.k3s.startedWith, text, { mode: 0o600 });
}

/** Returns the values that K3s runs with: before the first note, those of its files; `undefined` without both. */
export async function startedWith(host: HostReader, paths: NodePaths): Promise<StartedWith | undefined> {
  const known = await readNote(host, paths);
  if (known) {
    return known;
  }
  const isTold = (await host.stat(paths.k3s.config)) ?? (await foreignUnit(host, { kind: 'server', paths }));
  if (!isTold) {
    return undefined;
  }
  const last = await guardedValues(await presentFlags(host, { kind: 'server', paths }));
  return { first: last, last };
}

async function readNote(host: HostReader, { k3s }: NodePaths): Promise<StartedWith | undefined> {
  return readOwn(note, await fileText(host, k3s.startedWith));
}

const values = z.record(z.string(), z.coerce.string());
const note = z.object({ first: values, last: values });
