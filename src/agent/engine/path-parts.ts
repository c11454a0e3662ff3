/** Links that are followed at most on the way to a file, as the kernel does (path_resolution(7)). */
export const mostLinks = 40;

/** The names in a path, in their order; `..` is one, `.` is not. */
export function partsOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
