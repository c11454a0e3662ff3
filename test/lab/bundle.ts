import { execFileSync } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

export type StandIn = 'k3s' | 'flux' | 'systemctl' | 'journalctl' | 'systemd-notify';

/**
 * Builds a stand-in as one executable script that runs with the Node binary at `interpreter`, by default the binary of
 * this process. Resolves to the path of the script.
 *
 * The script runs in any folder, even below a `package.json` that sets the module type, because the script contains no
 * imports and defines its own `require`. `define` sets constants such as the version.
 */
export async function bundleStandIn(
  name: StandIn,
  outfile: string,
  define: Readonly<Record<string, string>> = {},
  interpreter = process.execPath,
): Promise<string> {
  await build({
    entryPoints: [join(import.meta.dirname, 'standins', `${name}.ts`)],
    outfile,
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    format: 'iife',
    target: 'node24',
    logLevel: 'error',
    banner: { js: requireAnywhere },
    define: Object.fromEntries(Object.entries(define).map(([key, value]) => [key, JSON.stringify(value)])),
  });
  const isReleased = name === 'k3s' || name === 'flux';
  const start = isReleased ? startByShell(versionOf(outfile), interpreter) : `#!${interpreter}`;
  await writeFile(outfile, `${start}\n${await readFile(outfile, 'utf8')}`);
  await chmod(outfile, 0o755);
  return outfile;
}

const requireAnywhere = "var require = process.getBuiltinModule('node:module').createRequire('/');";

function versionOf(script: string): string {
  return execFileSync(process.execPath, [script, '--version'], { encoding: 'utf8' });
}

/**
 * Returns the first lines of a script that is both shell and JavaScript. The shell answers `--version`, which every
 * pass on a node runs, without starting Node; JavaScript reads the lines as a string and comments. The shell also
 * answers under a name such as `.k3s.next`, whose ending Node refuses below a `package.json` that sets the module type,
 * but leaves the version of kubectl to JavaScript. Throws if the version contains characters that would need quoting in
 * the shell.
 */
function startByShell(version: string, interpreter: string): string {
  if (!/^[\w .+()\n]+$/.test(version)) {
    throw new Error(`This version cannot be quoted: ${version}`);
  }
  const prints = `printf '${version.replaceAll('\n', '\\n')}'`;
  return `#!/bin/sh\n':' //; [ "\${0##*/}" != kubectl ] && [ "$*" = --version ] && { ${prints}; exit; }; exec '${interpreter}' "$0" "$@"`;
}
