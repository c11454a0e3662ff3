/** A host's own place in this machine's cgroups: hosts that shared one would take each other's units for theirs. */
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/** systemd's hierarchy and the unified one where there are both (cgroup v1), else the only one. */
const hierarchies = ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'].every((path) => existsSync(path))
  ? ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified']
  : ['/sys/fs/cgroup'];

/** The folders of a host's cgroups, made where they are missing; `run` is the scenario's own name. */
export function hostCgroups(run: string, name: string): readonly string[] {
  const folders = hierarchies.map((hierarchy) => join(hierarchy, run, name));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  return folders;
}

/** Removes the cgroups of all hosts of a scenario, once these are off. */
export function removeCgroups(run: string): void {
  for (const hierarchy of hierarchies) removeEmpty(join(hierarchy, run));
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
