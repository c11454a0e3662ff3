/** The most links that are followed on the way to a file, as in the kernel (path_resolution(7)). */
export const mostLinks = 40;

/** Returns the names in a path, in order; `..` is a name, `.` is not. */
export function partsOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
