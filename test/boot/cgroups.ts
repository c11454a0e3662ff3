/** The cgroups of hosts. Two hosts in one cgroup would mistake each other's units for their own. */
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/** The cgroup hierarchies: systemd's and the unified one if the machine has both (cgroup v1), or the only one. */
const hierarchies = ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'].every((path) => existsSync(path))
  ? ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified']
  : ['/sys/fs/cgroup'];

/** Returns the cgroup folders of a host and creates missing ones; `run` is the name of the scenario's folder. */
export function hostCgroups(run: string, name: string): readonly string[] {
  const folders = hierarchies.map((hierarchy) => join(hierarchy, run, name));
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true });
  }
  return folders;
}

/** Removes the cgroups of all hosts of a scenario. The hosts must be off. */
export function removeCgroups(run: string): void {
  for (const hierarchy of hierarchies) {
    removeEmpty(join(hierarchy, run));
  }
}

/** Removes a cgroup and its child groups; the kernel removes the files in them. */
function removeEmpty(folder: string): void {
  if (!existsSync(folder)) {
    return;
  }
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      removeEmpty(join(folder, entry.name));
    }
  }
  try {
    rmdirSync(folder);
  } catch {
    // A process in the cgroup is still exiting. The remaining cgroup costs nothing.
  }
}
