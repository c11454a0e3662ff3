import type { MemoryHost } from './memory-host.ts';

/**
 * Returns a view of the host for a program other than Slipway: file writes through the view do not count as mutations.
 */
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
