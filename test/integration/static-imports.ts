import { build } from 'esbuild';

/** Returns the files that a source loads at its start, itself first: its imports, except `await import`. */
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
