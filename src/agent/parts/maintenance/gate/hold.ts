import * as z from 'zod/mini';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { printableLine } from '../../../engine/printable.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import { advisory } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { ownFiles } from '../../../own-files.ts';
import type { NodePaths } from '../../../paths.ts';
import { heldBack } from '../../../resources/combinators.ts';
import { fileText } from '../../../resources/file-text.ts';

/** The longest reason that is shown, in characters. */
const longest = 200;

/** Why a node is held, and what ends the hold. */
export interface Hold {
  readonly reason: string;
  readonly release: string;
}

type Held = Pick<K3sNode, 'settings' | 'paths'>;

/**
 * Returns why this node is held: by `slipway hold`, or else by the setting maintenance.hold, which the tag k3s-hold
 * sets; `undefined` if it is not held. A damaged file of `slipway hold` holds the node, too.
 */
export async function holdOf(host: HostReader, { settings, paths }: Held): Promise<Hold | undefined> {
  const text = await fileText(host, paths.slipway.hold);
  if (text !== '') {
    const reason = readOwn(holdFile, text)?.reason ?? `${paths.slipway.hold} is damaged`;
    return { reason: shown(reason), release: 'slipway hold --release' };
  }
  const reason = settings.maintenance.hold;
  const release = 'removing the tag k3s-hold or the setting maintenance.hold';
  return reason === undefined ? undefined : { reason: shown(reason), release };
}

const holdFile = z.object({ reason: z.string() });

/** Holds the node until `release`; `reason` is shown wherever the node reports its state. */
export async function hold(host: Host, { slipway }: NodePaths, reason: string): Promise<void> {
  await host.writeFile(slipway.hold, renderOwn(ownFiles.hold, { reason: shown(reason) }), { mode: 0o644 });
}

/** Ends the hold of `slipway hold`. */
export async function release(host: Host, { slipway }: NodePaths): Promise<void> {
  await host.remove(slipway.hold);
}

function shown(reason: string): string {
  return printableLine(reason).slice(0, longest);
}

/** Makes the Resource wait for the end of a hold instead of changing anything. */
export function unlessHeld(node: K3sNode, resource: Resource): Resource {
  return heldBack(resource, async (host, { blocks = true }) => {
    const found = await holdOf(host, node);
    return found && heldFinding(found, blocks);
  });
}

/** Returns the wait for the end of a hold. */
export function heldFinding({ reason, release }: Hold, blocks: boolean): Finding {
  return waiting(
    'Held',
    `This node is held: ${reason}. Slipway neither starts, stops nor restarts K3s, and installs no other release. ` +
      `The end of the hold: ${release}.`,
    { ...advisory, blocks, after: 60_000 },
  );
}

/** Returns the wait for the end of a hold of this node, which blocks nothing; `undefined` without a hold. */
export async function heldStep(host: HostReader, node: Held): Promise<Finding | undefined> {
  const found = await holdOf(host, node);
  return found && heldFinding(found, false);
}

/** Reports a hold of this node. */
export function holdReported(node: K3sNode): Resource {
  return {
    id: 'Hold/node',
    summary: 'look for a hold of this node',
    condition: 'Maintenance',
    check: async (host) => (await heldStep(host, node)) ?? inSync(),
  };
}
