/** The width of the terminal, and whether it wants colours: NO_COLOR and TERM=dumb are heard. */
export function terminal(): { readonly width: number; readonly color: boolean } {
  const { isTTY, columns } = process.stdout;
  // A serial console has no size: 0.
  return { width: columns || 80, color: isTTY === true && process.stdout.hasColors() };
}
