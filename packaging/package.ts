/**
 * Builds dist/slipway-linux-x64 and -arm64, a Debian package of each, the man page and the completions:
 * `npm run package -- [--out DIR] [--no-strip] [--executable-only] [ARCHITECTURE...]`.
 */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { assetNames } from '../src/setup/installed-files.ts';
import { type Architecture, architectures, isArchitecture, toolchains } from './architecture.ts';
import { writeCodeCache } from './code-cache.ts';
import { completions } from './completions.ts';
import { debianNames, writeDebianPackage } from './deb.ts';
import { commandFor } from './emulator.ts';
import { manPage } from './man-page.ts';
import { nodeBase } from './node-base.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { currentRelease } from './release.ts';
import { isInstalled, run } from './run.ts';
import { writeSingleExecutable } from './single-executable.ts';
import { verifyExecutable } from './verify.ts';

const cache = 'dist/.cache';
const program = 'dist/program.cjs';
const launcher = 'dist/launch.cjs';
const release = currentRelease();

const { values: options, positionals: names } = parseArgs({
  options: {
    out: { type: 'string', default: 'dist' },
    'no-strip': { type: 'boolean', default: false },
    'executable-only': { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

const wanted = names.length === 0 ? architectures : names.map(toArchitecture);
await oneAtATime(`packaging ${resolve(cache)}`, () => packageAll(wanted));

function packageAll(chosen: readonly Architecture[]): void {
  run(process.execPath, ['esbuild.config.mjs']);
  mkdirSync(options.out, { recursive: true });
  for (const architecture of chosen) {
    const output = join(options.out, `slipway-linux-${architecture}`);
    report(output, packageFor(architecture, output));
    if (!options['executable-only']) {
      packageForDebian(architecture, output);
    }
  }
  if (options['executable-only']) {
    return;
  }
  writeFileSync(join(options.out, 'slipway.8'), manPage(release));
  for (const [shell, completion] of Object.entries(completions)) {
    writeFileSync(join(options.out, `slipway.${shell}`), completion());
  }
}

function toArchitecture(name: string): Architecture {
  if (isArchitecture(name)) {
    return name;
  }
  throw new Error(`${name} is not one of ${architectures.join(', ')}`);
}

/** Builds the executable for `architecture`, and returns remarks about it, such as that it has no code cache. */
function packageFor(architecture: Architecture, output: string): readonly string[] {
  const work = join(cache, architecture);
  mkdirSync(work, { recursive: true });
  const base = nodeBase(architecture, cache, { strip: !options['no-strip'] });
  const codeCache = join(work, 'program.cache');
  const warm = writeCodeCache(architecture, base.published, program, codeCache);
  const builder = nodeBase(toArchitecture(process.arch), cache, { strip: false }).published;
  const files = Object.fromEntries(assetNames.map((path) => [path, path]));
  const assets = { program, cache: codeCache, ...files };
  const parts = { base: base.path, builder, launcher, assets };
  writeSingleExecutable(parts, output, work);
  const command = commandFor(architecture, resolve(output));
  if (command !== undefined) {
    verifyExecutable(architecture, command, resolve(work, 'root'));
  }
  return [
    ...(base.stripped
      ? []
      : ['not stripped, so 15 % larger: it was so wished, or there are no binutils for this processor']),
    ...(warm ? [] : ['no code cache, so it starts slower: no emulator for this processor here']),
    ...(command ? [] : [`not tried, because ${toolchains[architecture].emulator[0]} is missing here`]),
  ];
}

function packageForDebian(architecture: Architecture, executable: string): void {
  const output = join(options.out, `slipway_${release.version}_${debianNames[architecture]}.deb`);
  if (!isInstalled('dpkg-deb')) {
    process.stdout.write(`${output} was not made: there is no dpkg-deb here\n`);
    return;
  }
  writeDebianPackage({ executable, architecture, release }, output, join(cache, architecture));
  report(output, []);
}

function report(executable: string, notes: readonly string[]): void {
  const size = (statSync(executable).size / 1e6).toFixed(1);
  process.stdout.write(`${[`${executable} (${size} MB)`, ...notes].join('; ')}\n`);
}
