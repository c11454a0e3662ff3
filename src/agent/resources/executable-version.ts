import type { HostReader } from '../engine/host.ts';

/** The answers of executables about their versions, each with the attributes that the executable had, by path. */
const known = new Map<string, { readonly attributes: string; readonly version: string }>();

/**
 * Returns the version of the executable at a path. Calls `ask`, which runs the executable, only if the file was
 * replaced or written since the last answer, so that its inode, size or time differs. An `undefined` version and an
 * error are not remembered.
 */
export async function executableVersion<Version extends string | undefined>(
  host: HostReader,
  path: string,
  ask: () => Promise<Version>,
): Promise<Version | string> {
  const attributes = await attributesOf(host, path);
  const last = known.get(path);
  if (attributes !== undefined && last?.attributes === attributes) {
    return last.version;
  }
  known.delete(path);
  const version = await ask();
  if (attributes !== undefined && version !== undefined) {
    known.set(path, { attributes, version });
  }
  return version;
}

/** Returns the attributes of a regular file as text; `undefined` for any other entry, and for a file of a dry run. */
async function attributesOf(host: HostReader, path: string): Promise<string | undefined> {
  const { kind, inode, size, modifiedAt } = (await host.stat(path)) ?? {};
  return kind === 'file' && inode !== undefined ? `${inode} ${size} ${modifiedAt}` : undefined;
}
