import { type ConditionType, compare, inSync, type Resource } from '../engine/resource.ts';

export interface LinkSpec {
  readonly path: string;
  readonly target: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
}

/**
 * Keeps a symbolic link to `target`, owned by root or this process. Replaces a different link at the path, but not a
 * file or directory.
 *
 * Ignores the group, which a link inherits from a setgid directory (2775), and the mode, which a link does not have.
 */
export function link({ path, target, ...rest }: LinkSpec): Resource {
  return {
    ...rest,
    id: `Link/${path}`,
    summary: `link ${path} to ${target}`,
    async check(host) {
      const found = await host.stat(path);
      if (found !== undefined && found.kind !== 'link') {
        return inSync({ message: `${path} is not ours` });
      }
      return compare(
        { target: found?.target, user: found?.foreignUser ?? 'own' },
        { target, user: 'own' },
        (host) => host.link(path, target),
      );
    },
  };
}
