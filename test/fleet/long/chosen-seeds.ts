import { range } from '../seeds.ts';

/** The seeds to run, such as `1-1000`; `SLIPWAY_FLEET_SEEDS=42-42` repeats one of them. */
export const chosenSeeds = parsed(process.env.SLIPWAY_FLEET_SEEDS ?? '1-1000');

function parsed(text: string): readonly number[] {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  if (from === undefined || Number(from) > Number(to)) {
    throw new Error(`SLIPWAY_FLEET_SEEDS is a range such as 1-1000, not ${text}.`);
  }
  return range(Number(from), Number(to));
}
