import { range } from '../seeds.ts';

/** The seeds to run, such as `1-600`; `SLIPWAY_FLEET_SEEDS=42-42` repeats one of them. */
export const chosenSeeds = parsed(process.env.SLIPWAY_FLEET_SEEDS ?? '1-600');

/** Returns the first of the chosen seeds: one for each `share` of them, and at least one. */
export function oneIn(share: number): readonly number[] {
  return chosenSeeds.slice(0, Math.ceil(chosenSeeds.length / share));
}

function parsed(text: string): readonly number[] {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  if (from === undefined || Number(from) > Number(to)) {
    throw new Error(`SLIPWAY_FLEET_SEEDS is a range such as 1-600, not ${text}.`);
  }
  return range(Number(from), Number(to));
}
