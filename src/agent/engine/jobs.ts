import type { RunningJob } from './host.ts';
import type { Finding } from './resource.ts';

/**
 * Milliseconds between two checks of a running job. The end of a job wakes the loop; this interval detects a job whose
 * process has died.
 */
const lookAgain = 30_000;

/** Thrown by a Host while a job runs, so that every resource that needs the result waits. */
export class Underway extends Error {
  override readonly name = 'Underway';
  readonly job: RunningJob;

  constructor(job: RunningJob) {
    super(job.what);
    this.job = job;
  }
}

/** Returns the finding of a Resource that waits until a running job ends. */
export function underway({ what, since }: RunningJob, blocks: boolean) {
  return {
    state: 'Waiting',
    reason: 'InProgress',
    message: `${what}, since ${since}`,
    after: lookAgain,
    blocks,
    isJob: true,
  } as const satisfies Finding;
}
