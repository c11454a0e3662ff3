import { rm } from 'node:fs/promises';
import * as z from 'zod/mini';
import type { Job, RunningJob } from '../../engine/host.ts';
import { Underway } from '../../engine/jobs.ts';
import { readOwn, renderOwn } from '../../engine/own-file.ts';
import { ownFiles } from '../../own-files.ts';
import { atomicWrite } from '../files/atomic-write.ts';
import { fileError } from '../files/file-errors.ts';
import { inPlace } from '../files/openat.ts';
import { isAlive, processIdentity } from './process-identity.ts';

type Work = (signal: AbortSignal) => Promise<string>;

/** The jobs of this process, shared by all of its Hosts. */
export interface Jobs {
  /** Returns the job that the text of a trace describes; `undefined` if the job is not running. */
  running(trace: string, text: string): Promise<RunningJob | undefined>;
  /** Performs a job as `Host.perform` does. */
  perform(job: Job, work: Work): Promise<string>;
  /** Ends all running jobs, and resolves when they have ended. */
  end(): Promise<void>;
}

export interface JobsOptions {
  /** The directory that no path leaves, even through a link (openat.ts); `/` by default. */
  readonly root?: string;
  /** Called after each job has ended. If absent, `perform` waits for its job to end. */
  readonly onEnd?: () => void;
}

interface Begun {
  readonly job: RunningJob;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
  /** The result of the job, set when it has ended. */
  outcome?: PromiseSettledResult<string>;
}

/**
 * Makes the table of this process's jobs, which end with the process. A trace is a file from which checks and other
 * processes learn about a running job and the process that runs it. The trace of a dead process is ignored, and the
 * next job overwrites it.
 */
export function createJobs({ root = '/', onEnd }: JobsOptions = {}): Jobs {
  const begun = new Map<string, Begun>();
  return {
    async running(trace, text) {
      const found = readOwn(traceSchema, text);
      if (found === undefined) {
        return undefined;
      }
      const isOwn = found.process === (await ownStamp());
      return (isOwn ? isAtWork(trace) : await isAlive(found.process)) ? found : undefined;
    },
    async perform(job, work) {
      await endAnother(job);
      const current = begun.get(job.trace) ?? (await begin(job, work));
      if (onEnd === undefined) {
        await current.ended;
      }
      const { outcome } = current;
      if (outcome === undefined) {
        throw new Underway(current.job);
      }
      begun.delete(job.trace);
      if (outcome.status === 'rejected') {
        throw outcome.reason;
      }
      return outcome.value;
    },
    end: async () => void (await Promise.all([...begun.values()].map(endOf))),
  };

  function isAtWork(trace: string): boolean {
    const found = begun.get(trace);
    return found !== undefined && found.outcome === undefined;
  }

  async function endAnother({ trace, subject }: Job): Promise<void> {
    const found = begun.get(trace);
    if (found === undefined || found.job.subject === subject) {
      return;
    }
    await endOf(found);
    begun.delete(trace);
  }

  async function begin({ trace, what, subject }: Job, work: Work): Promise<Begun> {
    const job = { what, subject, since: new Date().toISOString().replace(/\.\d+Z$/, 'Z') };
    await writeTrace(trace, job, root);
    const abort = new AbortController();
    const ended = Promise.allSettled([work(abort.signal)]).then(async ([outcome]) => {
      await removeTrace(trace, root);
      current.outcome = outcome;
      onEnd?.();
    });
    const current: Begun = { job, abort, ended };
    begun.set(trace, current);
    return current;
  }
}

const traceSchema = z.object({
  what: z.string(),
  subject: z.string(),
  since: z.string(),
  process: z.string(),
});

async function endOf({ abort, ended }: Begun): Promise<void> {
  abort.abort();
  await ended;
}

async function writeTrace(trace: string, job: RunningJob, root: string): Promise<void> {
  const text = renderOwn(ownFiles.job, { ...job, process: await ownStamp() });
  try {
    await atomicWrite(trace, text, 0o644, root);
  } catch (thrown) {
    throw fileError(thrown, 'write', trace);
  }
}

/** Removes a trace. Ignores a failure, because this process knows that the job has ended. */
async function removeTrace(trace: string, root: string): Promise<void> {
  await inPlace(trace, { root }, ({ path }) => rm(path, { force: true })).catch(() => {});
}

/** Returns the identity of this process; without /proc, as in a chroot, only its id. */
async function ownStamp(): Promise<string> {
  return (await processIdentity(process.pid)) ?? `${process.pid}`;
}
