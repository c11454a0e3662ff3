import * as z from 'zod/mini';
import { sha256 } from '../../../engine/digest.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { remembering } from '../../../engine/remembering.ts';
import { ownFiles } from '../../../own-files.ts';
import type { NodePaths } from '../../../paths.ts';
import { noteStart } from '../config/started-with.ts';
import { incompleteAside } from '../membership/founding/incomplete-etcd.ts';
import { noteVersion } from '../upgrade/last-version.ts';
import { namedVersion } from './start-inputs.ts';
import type { StampedNode, StartInput, StartNotes, StartSources } from './start-sources.ts';

type Digests = Readonly<Record<string, string | undefined>>;

/** The digests of the inputs of one start of K3s, and the notes on that start. */
export interface Stamp {
  readonly invocationId: string;
  readonly inputs: Digests;
  readonly notes: StartNotes;
}

/**
 * Writes the stamp of the start of K3s that is about to happen, and records the guarded values and the release of that
 * start. First moves an incomplete etcd aside, because at a boot, K3s starts before Slipway looks. The unit of K3s runs
 * `slipway stamp` before every start.
 *
 * `invocationId` is the INVOCATION_ID that systemd gave that start. Throws `InternalError` if `invocationId` is
 * missing.
 */
export async function stampStart(
  host: Host,
  paths: NodePaths,
  { inputs, notes: wanted }: Pick<StartSources, 'inputs' | 'notes'>,
  invocationId: string | undefined,
): Promise<void> {
  if (!invocationId) {
    throw new NodeError('InternalError', 'There is no INVOCATION_ID: only the unit of K3s stamps its start.');
  }
  await incompleteAside(host, paths);
  const read = wanted.map(async ({ name, read }) => [name, await read(host, paths)] as const);
  const notes: StartNotes = Object.fromEntries(await Promise.all(read));
  const content = {
    invocationId,
    inputs: await inputDigests(host, paths, inputs, notes),
    ...notes,
  };
  await host.writeFile(paths.k3s.stamp, renderOwn(ownFiles.startStamp, content), { mode: 0o600 });
  await noteStart(host, paths);
  await noteVersion(host, paths, await namedVersion(host, paths));
}

/** Returns the stamp of this start of K3s; `undefined` if the stamp is missing or belongs to another start. */
export async function readStamp(
  host: HostReader,
  paths: NodePaths,
  invocationId: string,
): Promise<Stamp | undefined> {
  const found = await host.readFile(paths.k3s.stamp);
  const { invocationId: id, inputs, ...notes } = parsed(found?.content ?? '', paths.k3s.stamp) ?? {};
  return id === invocationId && inputs ? { invocationId, inputs, notes } : undefined;
}

const stampFile = z.looseObject({ invocationId: z.string(), inputs: z.record(z.string(), z.string()) });

const parsed = remembering((content) => readOwn(stampFile, content));

/**
 * Returns the names of the inputs that have changed since the stamped start; omits inputs with which K3s cannot start.
 */
export async function changedInputs(
  host: HostReader,
  node: StampedNode,
  stamp: Stamp,
  inputs: readonly StartInput[],
): Promise<readonly string[]> {
  const now = await inputDigests(host, node.paths, inputs, stamp.notes);
  const changed: string[] = [];
  for (const input of inputs) {
    const [then, since] = [stamp.inputs[input.name], now[input.name]];
    if (then === undefined || since === undefined || then === since) {
      continue;
    }
    const former = await input.formerly?.(host, node.paths);
    if (former !== undefined && then === sha256(former)) {
      continue;
    }
    if ((await input.isFit?.(host, node)) ?? true) {
      changed.push(input.name);
    }
  }
  return changed;
}

/** Returns a digest of the current content of each input, by name; `undefined` for content that is unknown. */
export async function inputDigests(
  host: HostReader,
  paths: NodePaths,
  inputs: readonly StartInput[],
  notes: StartNotes,
): Promise<Digests> {
  const found: Record<string, string | undefined> = {};
  for (const { name, text } of inputs) {
    const content = await text(host, paths, notes);
    found[name] = content === undefined ? undefined : sha256(content);
  }
  return found;
}
