import { build } from 'esbuild';

/** Returns the files that a source loads as it starts, itself first: what it imports, but for `await import`. */
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
      if (kind !== 'dynamic-import') loaded.add(path);
    }
  }
  return [...loaded];
}
