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
  // Keeps identifiers unminified, so that the stack trace in a bug report is readable.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  // A single executable can load only built-in modules, and only with require.
  supported: { 'dynamic-import': false },
  define: {
    'process.env.NODE_ENV': '"production"',
    // A placeholder that is never opened: node-cron derives the path of its worker threads from it, but Slipway uses
    // none.
    'import.meta.url': '"file:///slipway"',
    // Without this, an Azure SDK's check for a FormData body would make Node load all of fetch.
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

/**
 * Returns the abbreviated commit id, with `-dirty` if the working tree differs from the commit; `unknown` if git fails.
 */
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
