import { isatty } from 'node:tty';

/** Returns the width of the terminal, and whether to print colours, according to NO_COLOR and TERM=dumb. */
export function terminal(): { readonly width: number; readonly color: boolean } {
  // This check comes first: process.stdout would make a standard output that is not a terminal non-blocking.
  if (!isatty(1)) {
    return { width: 80, color: false };
  }
  const { columns } = process.stdout;
  // A serial console reports a width of 0.
  return { width: columns || 80, color: process.stdout.hasColors() };
}
