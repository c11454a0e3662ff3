/** The largest number of symbolic links to follow in one path, as in the kernel (path_resolution(7)). */
export const mostLinks = 40;

/** Returns the names in a path, in order; keeps `..` and omits `.`. */
export function partsOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
