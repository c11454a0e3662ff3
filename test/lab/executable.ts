import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '../..');

/**
 * The path in SLIPWAY_EXECUTABLE; if unset, the path of the executable that `npm run package` builds for this machine.
 */
export const packaged =
  process.env.SLIPWAY_EXECUTABLE ?? join(repository, `dist/slipway-linux-${process.arch}`);

/** True if the executable, by default the one at `packaged`, exists and no source file is newer. */
export function isPackaged(executable = packaged): boolean {
  if (!existsSync(executable)) {
    return false;
  }
  const made = statSync(executable).mtimeMs;
  return sources().every((path) => statSync(path).mtimeMs <= made);
}

function sources(): string[] {
  const folders = ['src', 'packaging'].map((name) => join(repository, name));
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return [...files, join(repository, 'package-lock.json'), join(repository, 'esbuild.config.mjs')];
}
