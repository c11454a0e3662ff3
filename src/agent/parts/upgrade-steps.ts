import { nameOfActing } from '../acting.ts';
import type { HostReader } from '../engine/host.ts';
import type { Resource } from '../engine/resource.ts';
import type { LeaseMemory } from '../kubernetes/lease.ts';
import { isServer, type K3sNode } from '../node.ts';
import { upkeep } from '../resources/combinators.ts';
import {
  type CopyLack,
  channelResolved,
  copyLack,
  copyStep,
  datastoreCopied,
  type Gate,
  k3sExecutable,
  nonBlockingOnceJoined,
  releaseFetched,
  releaseReplaced,
  releaseVerdict,
  upgradeTurn,
} from './k3s/index.ts';
import type { FreeSpace } from './machine/index.ts';
import { unlessHeld } from './maintenance/index.ts';

/**
 * Returns the Resource that notes the release of a channel, if the settings name a channel, and the Resource for the
 * executable of K3s.
 */
export function k3sRelease(
  node: K3sNode,
  acting: LeaseMemory,
  needs: readonly string[],
): { readonly channel: readonly Resource[]; readonly executable: Resource } {
  const actingName = (host: HostReader) => nameOfActing(host, node, acting);
  const channel = channelResolved(node, actingName, needs).map((each) => nonBlockingOnceJoined(node, each));
  const executable = k3sExecutable(node, [...needs, ...channel.map(({ id }) => id)]);
  return { channel, executable: unlessHeld(node, executable) };
}

/**
 * Returns the steps of an upgrade up to the replacement of the executable. The service of K3s then notices the new
 * release.
 */
export function upgradeSteps(
  node: K3sNode,
  { gate, free }: { readonly gate: Gate; readonly free: FreeSpace | undefined },
  needs: readonly string[],
): readonly Resource[] {
  const fetched = releaseFetched(node, needs);
  const lack: CopyLack = (host, of, forWhat) => copyLack(host, of, forWhat, free);
  const turn = upgradeTurn(node, { gate, lack }, [fetched.id]);
  const copied = isServer(node) ? [datastoreCopied(node, copyStep, [turn.id])] : [];
  const before = [turn, ...copied].map(({ id }) => id);
  const replaced = releaseReplaced(node, { copy: copyStep, verdict: releaseVerdict }, before);
  return [fetched, ...[turn, ...copied, replaced].map((each) => unlessHeld(node, each))].map(upkeep);
}
