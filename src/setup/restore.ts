/** The work of `slipway restore`. */
import { join } from 'node:path';
import { NodeError } from '../agent/engine/errors.ts';
import type { Host, HostReader } from '../agent/engine/host.ts';
import { type Resource, waiting } from '../agent/engine/resource.ts';
import {
  apiBack,
  formerPasswordRemoved,
  keptAside,
  longestReset,
  type Restore,
  recordRestore,
  restoreCommand,
} from '../agent/parts/k3s/index.ts';
import { forgetTurns } from '../agent/parts/maintenance/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { unless } from '../agent/resources/combinators.ts';
import { showUnit, systemctl } from '../agent/resources/unit.ts';
import { perform, type Tell } from './perform.ts';
import type { RestoreSteps } from './restore-steps.ts';
import { daemonUnit } from './setup-paths.ts';

/**
 * Returns the longest time, in milliseconds, that a restore continues after a signal: it may be stopping K3s or, with
 * etcd, waiting for the end of its reset.
 */
export function longestStep(datastore: string | undefined): number {
  return datastore === 'etcd' ? longestReset + 60_000 : 180_000;
}

/** The output of a restore, and the signal that interrupts the restore between two steps. */
export interface RestorePorts {
  readonly tell: Tell;
  readonly interrupted: AbortSignal;
}

/**
 * Replaces the datastore, starts K3s, and waits until the API is ready. Resolves to false if a step failed, or after
 * `interrupted` was aborted; then a second call continues. Throws `RestoreFailed` if K3s does not come up.
 */
export async function replaceDatastore(
  host: Host,
  paths: NodePaths,
  { down, up }: RestoreSteps,
  restore: Restore,
  { tell, interrupted }: RestorePorts,
): Promise<boolean> {
  const heedful = (each: Resource) => unless(each, async () => stopped(interrupted));
  const isReplaced =
    (await perform(down.map(heedful), host, tell)) && (await perform(up.map(heedful), host, tell));
  const nodes = isReplaced ? await apiBack(host, paths, restore, interrupted) : undefined;
  if (nodes === undefined) {
    tell.error(await unfinished(host, paths, restore));
    return false;
  }
  for (const name of await turnsForgotten(host, paths, interrupted)) {
    tell.out(`${name} has no turn and no cordon of Slipway any more, as those of the past are over.`);
  }
  const former = restore.isMove ? await formerPasswordRemoved(host, paths) : undefined;
  if (former !== undefined) {
    tell.out(`The cluster forgets the former VM of ${former}, so that this one can take its place.`);
  }
  await host.remove(paths.slipway.restore);
  await host.remove(paths.slipway.fetched);
  tell.out(`The datastore is restored, and the API is ready. It lists: ${nodes.join(', ') || 'no node'}`);
  const kept = await keptAside(host, paths, restore);
  if (kept.length > 0) {
    tell.out(
      `What was there before is kept: ${kept.join(', ')}. It has every Secret: remove it once the cluster works as it should.`,
    );
  }
  return true;
}

/** The number of attempts to change the cluster, whose API may fail for a moment after its start. */
const attempts = 10;
const interval = 3_000;

async function turnsForgotten(
  host: Host,
  paths: NodePaths,
  interrupted: AbortSignal,
): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await recordRestore(host, paths);
      return await forgetTurns(host, paths);
    } catch (thrown) {
      if (!(thrown instanceof NodeError) || attempt === attempts || interrupted.aborted) {
        throw thrown;
      }
      await host.sleep(interval, interrupted);
    }
  }
}

function stopped({ aborted }: AbortSignal) {
  return aborted ? waiting('RestoreUnfinished', 'a signal interrupted the restore') : undefined;
}

/** Returns how far a restore got that did not end, and the command that continues. */
async function unfinished(host: HostReader, { slipway }: NodePaths, restore: Restore): Promise<string> {
  const isBegun = (await host.stat(slipway.restore)) !== undefined;
  return isBegun
    ? `The restore has begun and has not ended. Slipway leaves K3s alone until it has. To continue: ${restoreCommand(restore)}`
    : 'The datastore was not replaced. To try again, run the same command again.';
}

/** Starts the daemon again, if its unit is below the root and enabled. */
export async function daemonBack(host: Host, { root }: NodePaths): Promise<void> {
  const { FragmentPath, UnitFileState } = await showUnit(host, daemonUnit, ['FragmentPath', 'UnitFileState']);
  if (UnitFileState === 'enabled' && FragmentPath.startsWith(join(root, '/'))) {
    await host.run(systemctl('start', '--no-block', daemonUnit));
  }
}
