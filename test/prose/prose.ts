/**
 * `npm run prose [-- PATH...]`: finds phrases that read as if they were translated, and comments that are too wide, in
 * all sources and pages of the repository or in the files given. Prints each finding with its place and what to write
 * instead; exits with 1 if it finds anything.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findingsIn } from './findings.ts';

/** The files that are not checked, because they quote the phrases as examples. */
const examples = ['test/prose/phrases.ts', 'test/prose/findings.test.ts'];

const listed = execFileSync('git', ['ls-files', '--', ...process.argv.slice(2)], { encoding: 'utf8' });
const files = listed.split('\n').filter((file) => /\.(?:ts|mjs|md)$/.test(file) && !examples.includes(file));
const findings = files.flatMap((file) => findingsIn(file, readFileSync(file, 'utf8')));
for (const { place, phrase, instead, context } of findings) {
  process.stdout.write(`${place}: "${phrase}" (write: ${instead}) in: ${context}\n`);
}
if (findings.length > 0) {
  process.stdout.write(`${findings.length} to rewrite; test/prose/phrases.ts has an example of each.\n`);
  process.exitCode = 1;
}
