import { type ConditionType, inSync, type Resource } from '../core/resource.ts';

export interface RemovedSpec {
  readonly path: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
}

/** Nothing stands at this path: a file, a link, or a directory with all that is in it goes. */
export function removed({ path, ...rest }: RemovedSpec): Resource {
  return {
    ...rest,
    id: `Removed/${path}`,
    summary: `remove ${path}`,
    async check(host) {
      if ((await host.stat(path)) === undefined) return inSync();
      const changes = [{ field: path, observed: 'there', desired: undefined }];
      return { state: 'Drifted', drift: { changes, remedy: (host) => host.remove(path) } };
    },
  };
}
