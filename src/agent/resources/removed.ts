import type { Host } from '../engine/host.ts';
import { type ConditionType, type Drift, type Finding, inSync, type Resource } from '../engine/resource.ts';

export interface RemovedSpec {
  readonly path: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
}

/** Keeps a path free: removes a file, a link, or a directory with its contents. */
export function removed({ path, ...rest }: RemovedSpec): Resource {
  return {
    ...rest,
    id: `Removed/${path}`,
    summary: `remove ${path}`,
    async check(host) {
      const found = (await host.stat(path)) === undefined ? [] : [path];
      return noneOf(found, { remedy: removing(found) });
    },
  };
}

/**
 * Returns an in-sync finding if `found` is empty, otherwise a drift that lists the names in `found` and has the given
 * summary and remedy.
 */
export function noneOf(found: readonly string[], drift: Pick<Drift, 'summary' | 'remedy'>): Finding {
  if (found.length === 0) {
    return inSync();
  }
  const changes = found.map((field) => ({ field, observed: 'there', desired: undefined }));
  return { state: 'Drifted', drift: { ...drift, changes } };
}

/** Returns a remedy that removes the paths in order. */
export function removing(paths: readonly string[]): Drift['remedy'] {
  return async (host: Host) => {
    for (const path of paths) {
      await host.remove(path);
    }
  };
}
