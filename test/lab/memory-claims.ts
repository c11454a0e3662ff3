import { NodeError } from '../../src/agent/engine/errors.ts';
import type { Claims } from '../../src/agent/parts/k3s/membership/founding/claim.ts';

/** Claims beside the backups, in memory. */
export interface MemoryClaims extends Claims {
  readonly objects: Map<string, string>;
  /** The failures of the next claims: before or after the object was created. */
  readonly failures: ('before' | 'after')[];
}

export function memoryClaims(): MemoryClaims {
  const objects = new Map<string, string>();
  const failures: ('before' | 'after')[] = [];
  return {
    name: 'https://backups.example.com',
    objects,
    failures,
    async claim(_host, name, text) {
      const failure = failures.shift();
      if (failure !== 'before' && !objects.has(name)) {
        objects.set(name, text);
      }
      if (failure !== undefined) {
        throw new NodeError('Unreachable', 'https://backups.example.com does not answer.');
      }
      return objects.get(name) === text ? 'claimed' : 'exists';
    },
  };
}
