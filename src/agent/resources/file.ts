import { type ConditionType, compare, type Resource } from '../core/resource.ts';
import { type Content, reveal } from '../core/secret.ts';
import { digest, octal } from './digest.ts';

export interface FileSpec {
  readonly path: string;
  readonly content: Content;
  readonly mode?: number;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
}

/** A file with exactly this content and mode, replaced atomically when either differs. */
export function file({ path, content, mode = 0o644, ...rest }: FileSpec): Resource {
  return {
    ...rest,
    id: `File/${path}`,
    summary: `write ${path}`,
    async check(host) {
      const found = await host.readFile(path);
      return compare(
        { content: found && digest(found.content), mode: found && octal(found.mode) },
        { content: digest(reveal(content)), mode: octal(mode) },
        (host) => host.writeFile(path, content, { mode }),
      );
    },
  };
}

/** No file, link or directory at this path. */
export function absent({ path, ...rest }: Omit<FileSpec, 'content' | 'mode'>): Resource {
  return {
    ...rest,
    id: `Absent/${path}`,
    summary: `remove ${path}`,
    async check(host) {
      const found = await host.stat(path);
      return compare({ exists: found !== undefined }, { exists: false }, (host) => host.remove(path));
    },
  };
}
