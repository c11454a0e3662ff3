import { join, relative, resolve } from 'node:path';
import type { HostReader } from '../engine/host.ts';
import { mostLinks, partsOf } from '../engine/path-parts.ts';

/**
 * Returns the path with its links resolved, which is the path under which the kernel lists a mount there. Keeps a
 * missing part as written. Links below `root` stay below `root`, as under chroot(2).
 */
export async function realPath(host: HostReader, path: string, root = '/'): Promise<string> {
  const top = root === '/' ? root : await realPath(host, root);
  let [real, rest, links] = [top, partsOf(relative(root, path)), 0];
  while (rest.length > 0) {
    const [name = '', ...others] = rest;
    const next = join(real, name);
    const target = links < mostLinks ? (await host.stat(next))?.target : undefined;
    if (target === undefined) {
      [real, rest] = [next, others];
      continue;
    }
    links += 1;
    [real, rest] = [top, [...partsOf(resolve('/', relative(top, real), target)), ...others]];
  }
  return real;
}
