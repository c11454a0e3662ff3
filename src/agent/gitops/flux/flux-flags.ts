/** Returns a flag of flux with its value. */
export function flag(name: string, value: string | boolean): string {
  return `--${name}=${value}`;
}

/** Returns a list with the flag; an empty list if the value is absent or empty. */
export function optional(name: string, value: string | undefined): readonly string[] {
  return value ? [flag(name, value)] : [];
}
