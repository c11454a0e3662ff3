import { type ConditionType, compare, inSync, type Resource } from '../core/resource.ts';

export interface LinkSpec {
  readonly path: string;
  readonly target: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
}

/** A symbolic link, made where nothing or another link stands; what somebody else put there stays. */
export function link({ path, target, ...rest }: LinkSpec): Resource {
  return {
    ...rest,
    id: `Link/${path}`,
    summary: `link ${path} to ${target}`,
    async check(host) {
      const found = await host.stat(path);
      if (found !== undefined && found.kind !== 'link') return inSync({ message: `${path} is not ours` });
      return compare({ target: found?.target }, { target }, (host) => host.link(path, target));
    },
  };
}
