import { join } from 'node:path';
import type { HostReader } from '../../engine/host.ts';
import { mostObjects, type StoredObject } from '../store.ts';
import { tooMany } from '../store-errors.ts';

/** The largest number of folders that one name can be in. */
const deepest = 8;

/**
 * Returns the files in a folder, at most eight folders deep, whose paths below the folder begin with `prefix`, sorted.
 * Omits links and hidden files, which are drafts. Throws `StoreLimit` for more than `mostObjects` files and folders.
 */
export async function objectsBelow(
  host: HostReader,
  top: string,
  prefix: string,
): Promise<readonly StoredObject[]> {
  const found: StoredObject[] = [];
  let seen = 0;
  async function look(below: string, depth: number): Promise<void> {
    for (const each of await host.list(join(top, below))) {
      const name = `${below}${each}`;
      if (each.startsWith('.') || !(name.startsWith(prefix) || prefix.startsWith(`${name}/`))) {
        continue;
      }
      seen += 1;
      if (seen > mostObjects) {
        throw tooMany(`the folder ${top}`, prefix);
      }
      const stat = await host.stat(join(top, name));
      if (stat?.kind === 'file' && name.startsWith(prefix)) {
        found.push({ name, bytes: stat.size, modifiedAt: stat.modifiedAt });
      }
      if (stat?.kind === 'directory' && depth < deepest) {
        await look(`${name}/`, depth + 1);
      }
    }
  }
  await look('', 0);
  return found.sort((one, other) => (one.name < other.name ? -1 : 1));
}
