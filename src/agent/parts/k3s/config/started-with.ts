import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { remembering } from '../../../engine/remembering.ts';
import { unitName } from '../../../node.ts';
import { ownFiles } from '../../../own-files.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import { foreignUnit } from '../flags/foreign-unit.ts';
import { type GuardedKey, type GuardedValues, guardedValues } from '../flags/guarded-keys.ts';
import { presentFlags } from '../flags/start-flags.ts';

const endpointKey = 'datastore-endpoint' satisfies GuardedKey;

/**
 * The values of the guarded keys at the first and at the last start of K3s with its datastore. If a start had no
 * endpoint, `last` has that of an earlier start of the cluster.
 */
export interface StartedWith {
  readonly first: GuardedValues;
  readonly last: GuardedValues;
}

/**
 * Records the values of the guarded keys with which a server is about to start; does nothing on an agent.
 *
 * The record is a file in the data directory of K3s, so it is moved aside, removed or mounted together with the
 * datastore.
 */
export async function noteStart(host: Host, paths: NodePaths): Promise<void> {
  if ((await host.stat(join(paths.system.units, unitName('server')))) === undefined) {
    return;
  }
  const present = await guardedValues(await presentFlags(host, { kind: 'server', paths }));
  // A start before the cluster exists does not count as the first: it may have failed because of its values.
  const isCluster = (await host.stat(paths.k3s.serverToken)) !== undefined;
  const noted = isCluster ? await readNote(host, paths) : undefined;
  const last = withEndpoint(present, noted && startedEndpoint(noted));
  const first = noted?.first ?? last;
  const text = renderOwn(ownFiles.startedWith, { first, last });
  await host.writeFile(paths.k3s.startedWith, text, { mode: 0o600 });
}

/** Returns the values with this endpoint if they have none, since K3s may start without its drop-in, which was lost. */
function withEndpoint(values: GuardedValues, endpoint: string | undefined): GuardedValues {
  return values[endpointKey] || endpoint === undefined ? values : { ...values, [endpointKey]: endpoint };
}

/**
 * Returns the values that K3s runs with: those that `noteStart` recorded or, failing that, those in config.yaml and the
 * other files that K3s reads. Returns `undefined` if nothing is recorded and neither config.yaml nor another program's
 * unit exists.
 */
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

/**
 * Returns the endpoint of the cluster's datastore, in the form of `guardedEndpoint`; `undefined` without an external
 * one. The note of an earlier build may have it only in `first`.
 */
export function startedEndpoint({ first, last }: StartedWith): string | undefined {
  return last[endpointKey] || first[endpointKey] || undefined;
}

async function readNote(host: HostReader, { k3s }: NodePaths): Promise<StartedWith | undefined> {
  return parsed(await fileText(host, k3s.startedWith), k3s.startedWith);
}

const values = z.record(z.string(), z.coerce.string());
const note = z.object({ first: values, last: values });
const parsed = remembering((text) => readOwn(note, text));
