import { shortDigest } from '../../../engine/digest.ts';
import type { HostReader } from '../../../engine/host.ts';
import { type Change, type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import type { StartSources } from './start-sources.ts';
import { changedInputs, inputDigests, readStamp } from './start-stamp.ts';
import type { Shown } from './starting.ts';

/** The result of comparing a start of K3s with the current inputs. */
export interface LookedUp {
  /** The names of the changed inputs for which K3s is restarted. */
  readonly changed: readonly string[];
  /** A digest of the current content of these inputs. */
  readonly digest: string;
  readonly remarks: readonly string[];
}

/** Compares the stamp of this start with the current inputs. If this start has no stamp, no input counts as changed. */
export async function lookAtStart(
  host: HostReader,
  node: K3sNode,
  { inputs, judge }: StartSources,
  { InvocationID, ActiveState }: Pick<Shown, 'InvocationID' | 'ActiveState'>,
): Promise<LookedUp> {
  const isStarting = ActiveState === 'activating';
  const stamp = await readStamp(host, node.paths, InvocationID);
  const all = stamp ? await changedInputs(host, node, stamp, inputs) : [];
  const { spared, remarks } = await judge(host, node, { notes: stamp?.notes, changed: all });
  const unused = isStarting ? [] : inputs.filter((each) => each.onlyWhileStarting).map(({ name }) => name);
  const changed = all.filter((name) => ![...spared, ...unused].includes(name));
  const counting = inputs.filter(({ name }) => changed.includes(name));
  const now = await inputDigests(host, node.paths, counting, stamp?.notes ?? {});
  return { changed, digest: shortDigest(JSON.stringify(now)), remarks };
}

/** Returns the changes that the drift of a restart lists, one for each of these inputs. */
export function restartChanges(changed: readonly string[]): readonly Change[] {
  return changed.map((field) => ({
    field,
    observed: 'changed since K3s started',
    desired: 'as K3s started',
  }));
}

/**
 * Returns a wait if an input was changed by hand after its check in this pass; otherwise `undefined`. The next pass
 * first restores the input, so K3s is not restarted for the change. `written` are the Resources that write the inputs.
 */
export async function rewrittenInput(
  host: HostReader,
  written: readonly Resource[],
): Promise<Finding | undefined> {
  for (const input of written) {
    // An input whose check fails is not restored in the next pass either, so the restart does not wait for it.
    const found = await input.check(host).catch(() => inSync());
    if (found.state === 'Drifted' && !found.drift.due) {
      return waiting('Blocked', `waits for ${input.id}`, { after: 1_000, blocks: false });
    }
  }
  return undefined;
}
