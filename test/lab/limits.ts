/**
 * How many times slower than a laptop this machine is: the number from 1 to 100 in SLIPWAY_LAB_SLOWNESS, by default 1.
 * An emulated processor needs 10 or more.
 */
const slowness = slownessOf(process.env.SLIPWAY_LAB_SLOWNESS ?? '1');

/** Returns a time limit for this machine, given the limit for a laptop; both are in milliseconds. */
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
