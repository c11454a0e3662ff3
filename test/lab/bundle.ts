import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

export type StandIn = 'k3s' | 'flux' | 'systemctl' | 'journalctl' | 'systemd-notify';

/**
 * Builds a stand-in as one executable script for this machine's Node, or for the one at `interpreter`.
 *
 * The script works whatever `package.json` is above the folder it is copied to: it neither imports nor relies on a
 * given `require`. `define` bakes in what a real executable is born with, its version for one.
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
    banner: { js: `#!${interpreter}\n${requireAnywhere}` },
    define: Object.fromEntries(Object.entries(define).map(([key, value]) => [key, JSON.stringify(value)])),
  });
  await chmod(outfile, 0o755);
  return outfile;
}

const requireAnywhere = "var require = process.getBuiltinModule('node:module').createRequire('/');";
