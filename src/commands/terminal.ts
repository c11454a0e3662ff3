import { isatty } from 'node:tty';

/** The width of the terminal, and whether it wants colours: NO_COLOR and TERM=dumb are heard. */
export function terminal(): { readonly width: number; readonly color: boolean } {
  // Asked of what is no terminal, Node would make the output one that does not wait for its reader.
  if (!isatty(1)) return { width: 80, color: false };
  const { columns } = process.stdout;
  // A serial console has no size: 0.
  return { width: columns || 80, color: process.stdout.hasColors() };
}
