/**
 * Checks the subjects of commits after `last`: their form, their type, the imperative and the length. Prints each fault
 * with its subject; exits with 1 if it finds a fault.
 */
import { execFileSync } from 'node:child_process';
import { subjectFaults } from './commit-subject.ts';

/** The last commit from before the rules for subjects. */
const last = '7bcce8049f984de0db6db357c5e4af43e6d6c79e';

const faults = subjects().flatMap((subject) =>
  subjectFaults(subject).map((fault) => `${subject}\n  ${fault}\n`),
);
for (const fault of faults) {
  process.stdout.write(fault);
}
if (faults.length > 0) {
  process.exitCode = 1;
}

function subjects(): readonly string[] {
  try {
    return git('log', '--no-merges', '--format=%s', `${last}..HEAD`).split('\n').filter(Boolean);
  } catch {
    process.stdout.write(`The subjects of commits are not checked: git does not know ${last} here.\n`);
    return [];
  }
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
