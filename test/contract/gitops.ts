import { describe, expect, test } from 'vitest';
import { reconcile } from '../../src/agent/engine/reconcile.ts';
import type { Outcome, Resource } from '../../src/agent/engine/resource.ts';
import type { GitOps } from '../../src/agent/gitops/gitops.ts';
import { recordingHost } from '../../src/agent/host/recording/recording-host.ts';
import { actionLine } from '../lab/action-line.ts';
import type { MemoryHost } from '../lab/memory-host.ts';
import { isMoving } from '../lab/memory-jobs.ts';
import { context } from '../unit/agent/gitops/flux/settings.ts';

export interface GitOpsSubject {
  readonly engine: GitOps;
  /** Makes a machine whose Kubernetes API answers and has no objects. */
  readonly world: () => MemoryHost;
  /** The secrets that no journal of a host and no outcome may contain. */
  readonly secrets: readonly string[];
}

/** Checks what the reconciler requires of every GitOps engine. */
export function gitOpsContract(name: string, { engine, world, secrets }: GitOpsSubject): void {
  describe(`GitOps ${name}`, () => {
    const plan = engine.resources(context);

    test('plans resources with unique ids, each of which needs only earlier resources or resources that the context names', () => {
      const ids = plan.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const [at, { needs = [] }] of plan.entries()) {
        for (const need of needs) {
          expect([...context.needs, ...ids.slice(0, at)]).toContain(need);
        }
      }
    });

    test('assigns all resources to the condition GitOps', () => {
      for (const { condition } of plan) {
        expect(condition).toBe('GitOps');
      }
    });

    test('converges, and then changes nothing', async () => {
      const host = world();
      const outcomes = await converge(plan, host);
      expect(outcomes.filter(({ state }) => state !== 'InSync')).toEqual([]);
      const { mutations } = host;
      await converge(plan, host);
      expect(host.mutations).toBe(mutations);
      shownIsFreeOf(secrets, [host.lines(), outcomes]);
    });

    test('recovers from a crash before each mutation', async () => {
      const whole = world();
      await converge(plan, whole);
      for (let mutation = 1; mutation <= whole.mutations; mutation += 1) {
        const host = world().crashBefore(mutation);
        await converge(plan, host).catch(() => undefined);
        expect(host.crashed).toBe(true);
        await converge(plan, host.restart());
        expect(endState(host)).toEqual(endState(whole));
      }
    });

    test('writes nothing in a dry run, but records the changes', async () => {
      const host = world();
      const before = host.files.snapshot();
      const dry = recordingHost(host);
      const outcomes = await pass(plan, dry);
      expect(host.files.snapshot()).toEqual(before);
      expect(host.lines()).toEqual([]);
      expect(dry.journal.length > 0).toBe(plan.length > 0);
      shownIsFreeOf(secrets, [dry.journal.map(actionLine), outcomes]);
    });
  });
}

/** Returns the files of a machine as a string without times, because times differ after a crash. */
function endState({ files }: MemoryHost): string {
  return JSON.stringify(files.snapshot(), undefined, 1)
    .replace(/"modifiedAt": \d+/g, '"modifiedAt": 0')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>');
}

/**
 * Runs passes, as the agent's loop does, until nothing changes; resolves to the outcomes of the last pass. Rejects
 * after a crash or after ten passes.
 */
async function converge(plan: readonly Resource[], host: MemoryHost): Promise<readonly Outcome[]> {
  for (let passes = 0; passes < 10; passes += 1) {
    const outcomes = await pass(plan, host);
    if (host.crashed) {
      throw new Error('crashed');
    }
    if (!outcomes.some(isMoving)) {
      return outcomes;
    }
    host.advance(1_000);
  }
  throw new Error('did not converge');
}

function pass(plan: readonly Resource[], host: Parameters<typeof reconcile>[1]['host']) {
  const met = context.needs.map(inPlace);
  return reconcile([...met, ...plan], { host, attempts: new Map(), random: 0.5 });
}

function inPlace(id: string): Resource {
  return { id, summary: 'be there', condition: 'NodeReady', check: async () => ({ state: 'InSync' }) };
}

function shownIsFreeOf(secrets: readonly string[], shown: unknown): void {
  for (const secret of secrets) {
    expect(JSON.stringify(shown)).not.toContain(secret);
  }
}
