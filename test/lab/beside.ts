import type { MemoryHost } from './memory-host.ts';

/** Returns a host for another program on the same machine, whose changes do not count as mutations of Slipway. */
export function beside(host: MemoryHost): MemoryHost {
  return new Proxy(host, {
    get(target, name) {
      if (name === 'writeFile') {
        return async (path: string, content: string, { mode }: { mode: number }) =>
          target.files.write(path, content, mode);
      }
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
