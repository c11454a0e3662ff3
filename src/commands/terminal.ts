import { isatty } from 'node:tty';

/** Returns the width of the terminal, and whether it shows colours, by NO_COLOR and TERM=dumb. */
export function terminal(): { readonly width: number; readonly color: boolean } {
  // Checked first: if standard output is not a terminal, process.stdout would make it non-blocking.
  if (!isatty(1)) {
    return { width: 80, color: false };
  }
  const { columns } = process.stdout;
  // A serial console has no size: 0.
  return { width: columns || 80, color: process.stdout.hasColors() };
}
