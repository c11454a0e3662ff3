import { dirname, join, resolve } from 'node:path';
import type { HostReader } from '../../core/host.ts';

/** Links that are followed at most, as the kernel does (path_resolution(7)). */
const mostLinks = 40;

/** The path without links in it, as the kernel names a mount there; what is not there is kept as it is written. */
export async function realPath(host: HostReader, path: string): Promise<string> {
  let [real, rest, links] = ['/', parts(path), 0];
  while (rest.length > 0) {
    const [name = '', ...others] = rest;
    const next = join(real, name);
    const target = links < mostLinks ? (await host.stat(next))?.target : undefined;
    if (target !== undefined) links += 1;
    rest = target === undefined ? others : [...parts(resolve(dirname(next), target)), ...others];
    real = target === undefined ? next : '/';
  }
  return real;
}

function parts(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '');
}
