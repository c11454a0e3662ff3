interface Happening {
  readonly at: number;
  readonly order: number;
  /** What happens; `undefined` once the event is cancelled. */
  happen: (() => void) | undefined;
}

/**
 * The only time of a fleet: a queue of events, in milliseconds since the simulation began. Events at the same time
 * happen in the order in which they were added, so a run depends on nothing but its seed.
 */
export class Timeline {
  now = 0;
  /** The true time of day when the simulation began, in epoch milliseconds. It grows if days are left out. */
  epoch = Date.UTC(2026, 0, 10, 1);
  /** The events so far. */
  count = 0;
  /** True once an event has let a process go on. */
  isAwake = false;
  #order = 0;
  readonly #heap: Happening[] = [];

  /** Calls `happen` later. Returns a function that cancels the event. */
  after(milliseconds: number, happen: () => void): () => void {
    this.#order += 1;
    const event: Happening = { at: this.now + Math.max(0, milliseconds), order: this.#order, happen };
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
    return () => {
      event.happen = undefined;
    };
  }

  /**
   * Lets time pass until `end`, or until `judge`, which runs after each event, returns true. After an event that lets a
   * process go on, every process runs on until it waits for another event.
   */
  async run(end: number, judge: () => boolean): Promise<void> {
    for (;;) {
      const [next] = this.#heap;
      if (next === undefined || next.at > end) {
        this.now = end;
        return;
      }
      this.#removeFirst();
      if (next.happen === undefined) {
        continue;
      }
      this.now = next.at;
      this.count += 1;
      next.happen();
      if (this.isAwake) {
        this.isAwake = false;
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (judge()) {
        return;
      }
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
  }

  #rise(start: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfLater(parent, at)) {
        return;
      }
      at = parent;
    }
  }

  #sink(): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const least = this.#isLater(left, left + 1) ? left + 1 : left;
      if (!this.#swapIfLater(at, least)) {
        return;
      }
      at = least;
    }
  }

  /** Swaps two events if the first is later than the second; returns whether it did. */
  #swapIfLater(first: number, second: number): boolean {
    const [one, other] = [this.#heap[first], this.#heap[second]];
    if (one === undefined || other === undefined || !this.#isLater(first, second)) {
      return false;
    }
    this.#heap[first] = other;
    this.#heap[second] = one;
    return true;
  }

  #isLater(first: number, second: number): boolean {
    const [one, other] = [this.#heap[first], this.#heap[second]];
    return (
      one !== undefined &&
      other !== undefined &&
      (one.at === other.at ? one.order > other.order : one.at > other.at)
    );
  }
}
