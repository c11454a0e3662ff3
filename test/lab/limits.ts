/**
 * How many times slower this machine is than a laptop: a number in SLIPWAY_LAB_SLOWNESS, 1 by default. An emulated
 * processor needs 10 or more.
 */
const slowness = slownessOf(process.env.SLIPWAY_LAB_SLOWNESS ?? '1');

/** Returns a time in milliseconds that was chosen for a laptop, lengthened for this machine. */
export function lengthened(milliseconds: number): number {
  return milliseconds * slowness;
}

function slownessOf(text: string): number {
  const value = Number(text);
  if (value >= 1 && value <= 100) {
    return value;
  }
  throw new Error(`SLIPWAY_LAB_SLOWNESS is a number from 1 to 100, not ${text}.`);
}
