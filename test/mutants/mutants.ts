/**
 * Changes the code that protects secrets, files and consent, one expression at a time, and expects a test to fail each
 * time.
 *
 * `npm run mutants [-- PATH...]` changes every protected file, or only the given ones. A mutant that survives needs a
 * test, or an entry in judged.yaml that states why it is harmless. Exits with 1 if a mutant has neither, or if an entry
 * of judged.yaml is out of date.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { MutantResult } from '@stryker-mutator/api/core';
import { Stryker } from '@stryker-mutator/core';
import { parse, stringify } from 'yaml';
import { protectedFiles } from './protected.ts';

/** A change that no test noticed, as written in judged.yaml. */
interface Mutant {
  readonly file: string;
  /** The trimmed line on which the change begins, which identifies the change even if lines move. */
  readonly line: string;
  /** The old and the new code on one line, with ` => ` between them. */
  readonly change: string;
}

const repository = join(import.meta.dirname, '../..');

await main(process.argv.slice(2));

async function main(paths: readonly string[]): Promise<void> {
  const files = paths.length > 0 ? paths : protectedFiles.map((file) => `src/agent/${file}`);
  const gone = files.filter((file) => !existsSync(join(repository, file)));
  if (gone.length > 0) {
    throw new Error(`there is no ${gone.join(', ')}; correct test/mutants/protected.ts`);
  }
  const survivors = await survivorsOf(files);
  const judged = judgements();
  const unjudged = survivors.filter((mutant) => !judged.has(keyOf(mutant)));
  if (unjudged.length > 0) {
    say(stringify(unjudged, { lineWidth: 0 }));
  }
  const stale =
    paths.length > 0 ? [] : [...judged].filter((key) => !survivors.some((mutant) => keyOf(mutant) === key));
  for (const key of stale) {
    say(`judged, but noticed or gone: ${key}`);
  }
  say(`${survivors.length} survived, ${unjudged.length} of them unjudged`);
  process.exitCode = unjudged.length + stale.length > 0 ? 1 : 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Runs the tests against each mutant; resolves to the mutants that no test catches. */
async function survivorsOf(mutate: readonly string[]): Promise<readonly Mutant[]> {
  process.chdir(repository);
  const results = await new Stryker({
    mutate: [...mutate],
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'test/mutants/vitest.config.ts' },
    coverageAnalysis: 'perTest',
    // The wording of messages is not tested.
    mutator: { plugins: null, excludedMutations: ['StringLiteral'] },
    // Otherwise Stryker would rewrite tsconfig.json, which needs no change, and would use an API that TypeScript 7
    // lacks.
    tsconfigFile: 'none',
    tempDirName: 'dist/.mutants',
    // The build results include root file systems of booted hosts, with symbolic links that Stryker cannot copy.
    ignorePatterns: ['dist'],
    reporters: ['progress-append-only'],
  }).runMutationTest();
  return results.filter(({ status }) => status === 'Survived' || status === 'NoCoverage').map(mutantOf);
}

function mutantOf({ fileName, location, replacement }: MutantResult): Mutant {
  const { start, end } = location;
  const lines = readFileSync(fileName, 'utf8')
    .split('\n')
    .slice(start.line - 1, end.line);
  const replaced = lines.map((line, index) =>
    line.slice(index === 0 ? start.column - 1 : 0, index === lines.length - 1 ? end.column - 1 : undefined),
  );
  return {
    file: relative(repository, fileName),
    line: lines[0]?.trim() ?? '',
    change: `${onOneLine(replaced.join('\n'))} => ${onOneLine(replacement)}`,
  };
}

function onOneLine(code: string): string {
  return code.replace(/\s+/g, ' ').trim();
}

/** Returns the keys of the mutants that were judged harmless; throws if an entry does not state why. */
function judgements(): ReadonlySet<string> {
  const path = join(import.meta.dirname, 'judged.yaml');
  const entries = parse(readFileSync(path, 'utf8')) as readonly (Mutant & { readonly harmless?: string })[];
  const bare = entries.find(({ harmless }) => !harmless);
  if (bare) {
    throw new Error(`${path}: ${bare.file}, ${bare.change}: say in "harmless" why it is`);
  }
  return new Set(entries.map(keyOf));
}

function keyOf({ file, line, change }: Mutant): string {
  return [file, line, change].join(' | ');
}
