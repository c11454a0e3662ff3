import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Builds the sources below a folder as one script that believes to be the executable at `place`. */
export async function bundleRelease(sources: string, outfile: string, place: string): Promise<string> {
  await build({
    entryPoints: [join(sources, 'src/launcher/launch.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    supported: { 'dynamic-import': false },
    define: {
      'import.meta.url': '"file:///slipway"',
      FormData: 'undefined',
      // Written into the units and scripts of a node.
      'process.execPath': JSON.stringify(place),
    },
    logLevel: 'error',
  });
  return outfile;
}

/** Puts a release in place: an upgrade or a way back, as a package makes it. */
export function install(script: string, place: string): void {
  writeFileSync(place, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`);
  chmodSync(place, 0o755);
}
