import { build } from 'esbuild';

/** Returns a source file and the files that it imports, directly or indirectly, except by `await import`. */
export async function staticImports(entry: string): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    metafile: true,
  });
  const loaded = new Set([entry]);
  for (const file of loaded) {
    for (const { path, kind } of metafile.inputs[file]?.imports ?? []) {
      if (kind !== 'dynamic-import') {
        loaded.add(path);
      }
    }
  }
  return [...loaded];
}
