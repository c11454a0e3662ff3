import type { Host, Job, RunningJob } from '../../src/agent/engine/host.ts';
import { Underway } from '../../src/agent/engine/jobs.ts';
import { renderOwn } from '../../src/agent/engine/own-file.ts';
import type { Outcome } from '../../src/agent/engine/resource.ts';
import { ownFiles } from '../../src/agent/own-files.ts';
import type { MemoryHost } from './memory-host.ts';

interface Begun {
  readonly job: RunningJob;
  readonly abort: AbortController;
  readonly result: Promise<string>;
  isOver: boolean;
}

/**
 * The jobs of a MemoryHost's process. A job starts its work at once, and ends after `lasting` milliseconds of simulated
 * time; with 0, at the next step of simulated time.
 */
export class MemoryJobs {
  lasting = 0;
  /** Called when a job ends, so that the daemon can wake its loop. */
  onEnd = () => {};
  readonly #world: MemoryHost;
  #begun = new Map<string, Begun>();

  constructor(world: MemoryHost) {
    this.#world = world;
  }

  /** Forgets all jobs, as when the process ends; their trace files stay. */
  die(): void {
    this.#begun = new Map();
  }

  running(trace: string): RunningJob | undefined {
    const found = this.#begun.get(trace);
    return found && !found.isOver && this.#world.files.stat(trace) ? found.job : undefined;
  }

  async perform(job: Job, work: (signal: AbortSignal) => Promise<string>): Promise<string> {
    const other = this.#begun.get(job.trace);
    if (other && other.job.subject !== job.subject) {
      this.#drop(job.trace, other);
    }
    const begun = this.#begun.get(job.trace) ?? this.#begin(job, work);
    if (!begun.isOver) {
      throw new Underway(begun.job);
    }
    this.#begun.delete(job.trace);
    return begun.result;
  }

  #begin({ trace, what, subject }: Job, work: (signal: AbortSignal) => Promise<string>): Begun {
    const { files } = this.#world;
    const since = new Date(this.#world.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const job = { what, subject, since };
    this.#world.noteJob(trace, renderOwn(ownFiles.job, { ...job, process: 'this one' }));
    const abort = new AbortController();
    const result = work(abort.signal);
    result.catch(() => {});
    const begun = { job, abort, result, isOver: false };
    this.#begun.set(trace, begun);
    this.#world.at(this.#world.now() + this.lasting, () => {
      if (this.#begun.get(trace) !== begun) {
        return;
      }
      begun.isOver = true;
      files.remove(trace);
      this.onEnd();
    });
    return begun;
  }

  #drop(trace: string, { abort }: Begun): void {
    abort.abort();
    this.#begun.delete(trace);
  }
}

/** Carries out a remedy. If the remedy starts a job, lets the job end and carries out the remedy again. */
export async function carryOut(remedy: (host: Host) => Promise<void>, host: MemoryHost): Promise<void> {
  try {
    await remedy(host);
  } catch (thrown) {
    if (!(thrown instanceof Underway)) {
      throw thrown;
    }
    host.advance(host.jobs.lasting);
    await remedy(host);
  }
}

/** The reasons for a Waiting outcome that a job, K3s or Argo CD will soon end. */
const passing: readonly string[] = [
  'InProgress',
  'ChartInProgress',
  'ArgocdNotReady',
  'ApplicationNotSynced',
];

/** True if another pass may have work to do: the outcome is Changed, or is Waiting for a reason in `passing`. */
export function isMoving(outcome: Outcome): boolean {
  return outcome.state === 'Changed' || (outcome.state === 'Waiting' && passing.includes(outcome.reason));
}
