/** Bundles the program and its launcher into dist/, for the single executable (`npm run build`). */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** @type {import('esbuild').BuildOptions} */
const shared = {
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  // Names are kept: the stack of a defect report must be readable.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  // A single executable can import nothing but built-in modules, and those with require.
  supported: { 'dynamic-import': false },
  define: {
    'process.env.NODE_ENV': '"production"',
    // node-cron asks where it is, for workers of its own that are not used here.
    'import.meta.url': '"file:///slipway"',
    // An Azure SDK asks whether a body is one, and Node would load the whole of fetch to answer.
    FormData: 'undefined',
    __VERSION__: JSON.stringify(version),
    __COMMIT__: JSON.stringify(commit()),
  },
  logLevel: 'warning',
};

const program = await build({ ...shared, entryPoints: { program: 'src/commands/main.ts' }, metafile: true });
writeFileSync('dist/meta.json', JSON.stringify(program.metafile));
await build({
  ...shared,
  entryPoints: { launch: 'src/launcher/launch.ts' },
  external: ['../commands/main.ts'],
});

/** The commit that is built, marked where the tree differs from it; `unknown` without git. */
function commit() {
  try {
    return git('describe', '--always', '--exclude=*', '--abbrev=12', '--dirty');
  } catch {
    return 'unknown';
  }
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
