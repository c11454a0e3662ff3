import { digest } from '../engine/digest.ts';
import type { HostReader } from '../engine/host.ts';
import { type ConditionType, compare, type Resource } from '../engine/resource.ts';
import { octal, owner } from './file-attributes.ts';

export interface FileSpec {
  readonly path: string;
  /**
   * The content, or a function if the content depends on the machine. The content must not contain secrets, since a
   * plan prints it and a log shows its digest.
   */
  readonly content: string | ((host: HostReader) => Promise<string>);
  readonly mode?: number;
  /** True to replace a link at the path, whatever its target. */
  readonly replacesLinks?: boolean;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
}

/**
 * Keeps a file with exactly this content and mode, owned by this process; replaces it atomically if anything differs.
 */
export function file(spec: FileSpec): Resource {
  const { path, content: wanted, mode = 0o644, replacesLinks = false, ...rest } = spec;
  return {
    ...rest,
    id: `File/${path}`,
    summary: `write ${path}`,
    async check(host) {
      const content = typeof wanted === 'string' ? wanted : await wanted(host);
      const isLink = replacesLinks && (await host.stat(path))?.kind === 'link';
      const found = isLink ? undefined : await host.readFile(path);
      const desired = digest(content);
      return compare(
        {
          content: found && (found.content === content ? desired : digest(found.content)),
          mode: found && octal(found.mode),
          owner: owner(found ?? {}),
        },
        { content: desired, mode: octal(mode), owner: 'own' },
        (host) => host.writeFile(path, content, { mode }),
      );
    },
  };
}
