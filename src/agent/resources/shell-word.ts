/** One word of a shell's command line (POSIX, 2.2.2 Single-Quotes). */
export function shellWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
