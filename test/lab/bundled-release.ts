import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * Bundles the Slipway release in the source folder `sources` into the script `outfile`, with `process.execPath` set to
 * `place`; resolves to the script's path.
 */
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
      // Slipway writes this path to the units and scripts of a node.
      'process.execPath': JSON.stringify(place),
    },
    logLevel: 'error',
  });
  return outfile;
}

/** Makes the executable at `place` run the release in `script`, as an upgrade or a downgrade does. */
export function install(script: string, place: string): void {
  writeFileSync(place, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`);
  chmodSync(place, 0o755);
}
