/** A host's own place in this machine's cgroups: hosts that shared one would take each other's units for theirs. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/** systemd's hierarchy and the unified one where there are both (cgroup v1), else the only one. */
const hierarchies = ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'].every((path) => existsSync(path))
  ? ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified']
  : ['/sys/fs/cgroup'];

/** Of this scenario: others may run beside it. */
const own = `slipway-boot-${randomBytes(6).toString('hex')}`;

/** The folders of a host's cgroups, made where they are missing. */
export function hostCgroups(name: string): readonly string[] {
  const folders = hierarchies.map((hierarchy) => join(hierarchy, own, name));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  return folders;
}

/** Removes the cgroups of all hosts of this scenario, once these are off. */
export function removeCgroups(): void {
  for (const hierarchy of hierarchies) removeEmpty(join(hierarchy, own));
}

/** A cgroup's files go with it; only the groups inside it must go first. */
function removeEmpty(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  }
  try {
    rmdirSync(folder);
  } catch {
    // Something still ends in it. It costs nothing.
  }
}
