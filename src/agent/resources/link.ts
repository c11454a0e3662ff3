import { type ConditionType, compare, inSync, type Resource } from '../engine/resource.ts';

export interface LinkSpec {
  readonly path: string;
  readonly target: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
}

/**
 * Keeps a symbolic link of root or of this process if the path is free or another link. Leaves a file or directory
 * alone.
 *
 * Ignores the group of the link, which comes from its directory if that passes on its group (2775). A link has no mode.
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
