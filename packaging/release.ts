import { readFileSync } from 'node:fs';
import { run } from './run.ts';

/** The version and the time of a package. */
export interface Release {
  readonly version: string;
  /**
   * The time in SOURCE_DATE_EPOCH, by default the time of the commit, so that every build of a commit has the same time
   * (https://reproducible-builds.org/specs/source-date-epoch).
   */
  readonly date: Date;
}

export function currentRelease(): Release {
  const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'));
  return { version, date: new Date(Number(process.env.SOURCE_DATE_EPOCH ?? commitTime()) * 1000) };
}

/** Returns the time of the commit in epoch seconds; without git, 1 January 1980, which every file system accepts. */
function commitTime(): string {
  try {
    return run('git', ['log', '-1', '--format=%ct']).trim();
  } catch {
    return '315532800';
  }
}
