import { readFileSync } from 'node:fs';
import { run } from './run.ts';

/** What is packaged. */
export interface Release {
  readonly version: string;
  /** When its commit was made, the same for every build of it (https://reproducible-builds.org/specs/source-date-epoch). */
  readonly date: Date;
}

export function currentRelease(): Release {
  const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'));
  return { version, date: new Date(Number(process.env.SOURCE_DATE_EPOCH ?? commitTime()) * 1000) };
}

/** In seconds; without git the first day of a year that no file system refuses. */
function commitTime(): string {
  try {
    return run('git', ['log', '-1', '--format=%ct']).trim();
  } catch {
    return '315532800';
  }
}
