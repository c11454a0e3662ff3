import type { Role } from '../roles/role.ts';
import { NodeError } from './core/errors.ts';
import { inSync, type Resource } from './core/resource.ts';
import { probe } from './resources/probe.ts';

/** What the kernel leaves of a VM's memory: one that is sold with 2048 MB shows some 1900. */
const usable = 0.85;

/** The VM is large enough for its role; a smaller one is told, and tried all the same. */
export function preflight(role: Role, memory: number): Resource {
  return probe({
    id: 'Memory',
    summary: 'look whether the VM is large enough',
    condition: 'Preflight',
    look: async () => {
      if (memory >= role.memory * usable) return inSync({ message: `${memory} MB of memory` });
      throw new NodeError(
        'MemoryTooSmall',
        `This VM has ${memory} MB of memory; the role ${role.name} needs ${role.memory} MB. Use a larger VM size.`,
        { retry: { pace: 'slow' }, blocks: false },
      );
    },
  });
}
