/** Returns a flag of flux with its value. */
export function flag(name: string, value: string | boolean): string {
  return `--${name}=${value}`;
}

/** Returns the flag if its value is present and not empty. */
export function optional(name: string, value: string | undefined): readonly string[] {
  return value ? [flag(name, value)] : [];
}
