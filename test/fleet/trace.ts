import type { Timeline } from './timeline.ts';

const kept = 120;

/** The last events of a run, which a failure prints. */
export class Trace {
  readonly #timeline: Timeline;
  /** The number of events so far. */
  count = 0;
  #lines: string[] = [];

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  note(who: string, what: string): void {
    this.count += 1;
    this.#lines.push(`${clockTime(this.#timeline.now)} ${who}: ${what}`);
    if (this.#lines.length > 2 * kept) {
      this.#lines = this.#lines.slice(-kept);
    }
  }

  last(): readonly string[] {
    return this.#lines.slice(-kept);
  }
}

/** Returns milliseconds as hours, minutes and seconds. */
export function clockTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(11, 23);
}
