/** Measures all contenders in turn, round after round, so that a slow moment of the machine affects all alike. */

/** The results of one run of a contender, by quantity, such as `wall` and `CPU`. */
export type Sample = Readonly<Record<string, number>>;

export interface Contender {
  readonly name: string;
  run(): Promise<Sample>;
}

export interface Row {
  readonly measure: string;
  readonly contender: string;
  readonly unit: Unit;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

export type Unit = 'ms' | 'MB' | 'bytes';

/**
 * Runs each contender `runs` times after a first, uncounted round. Resolves to the median and the range of each
 * quantity.
 */
export async function interleaved(
  measure: string,
  runs: number,
  contenders: readonly Contender[],
): Promise<readonly Row[]> {
  const samples = new Map<Contender, Sample[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round <= runs; round += 1) {
    for (const contender of contenders) {
      const sample = await contender.run();
      if (round > 0) {
        samples.get(contender)?.push(sample);
      }
    }
  }
  return [...samples].flatMap(([{ name }, each]) => rowsOf(measure, name, 'ms', each));
}

/** Returns one row for each quantity, with the median, minimum and maximum of the samples. */
export function rowsOf(
  measure: string,
  contender: string,
  unit: Unit,
  samples: readonly Sample[],
): readonly Row[] {
  return Object.keys(samples[0] ?? {}).map((what) => {
    const values = samples.map((sample) => sample[what] ?? Number.NaN).sort((a, b) => a - b);
    return {
      measure: `${measure}, ${what}`,
      contender,
      unit,
      median: median(values),
      min: values[0] ?? Number.NaN,
      max: values.at(-1) ?? Number.NaN,
      runs: values.length,
    };
  });
}

function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}
