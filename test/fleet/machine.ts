import { MemoryFiles } from '../lab/memory-files.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';

/** What all machines of a fleet share. */
export interface Shared {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly trace: Trace;
}

/** Returns the time of day that a clock without an error shows, in epoch milliseconds. */
export function trueTime({ epoch, now }: Timeline): number {
  return epoch + now;
}

/**
 * A VM: its disk, its boot, and three clocks. The time of day can be wrong and jumps; the monotonic clock stands still
 * while the machine is suspended; the time since the boot includes that time. Nothing on the machine happens while it
 * is suspended.
 */
export class Machine {
  readonly files: MemoryFiles;
  readonly shared: Shared;
  readonly name: string;
  /** The number of boots; a new boot ends what the previous one began. */
  boots = 0;
  isOff = true;
  /** True if no packet passes between this machine and the others. */
  isCutOff = false;
  #wallOffset: number;
  #bootedAt = 0;
  #suspendedAt: number | undefined;
  #suspendedFor = 0;
  #onResume: (() => void)[] = [];

  constructor(shared: Shared, name: string) {
    this.shared = shared;
    this.name = name;
    this.#wallOffset = shared.random.between(-90_000, 90_000);
    this.files = new MemoryFiles(() => this.now());
    this.files.makeDirectory('/run');
  }

  /** The time of day in epoch milliseconds. */
  now(): number {
    return trueTime(this.shared.timeline) + this.#wallOffset;
  }

  /** The milliseconds of CLOCK_MONOTONIC. */
  monotonic(): number {
    return this.uptime() - this.#suspendedFor;
  }

  /** The milliseconds since the boot, as in /proc/uptime (CLOCK_BOOTTIME). */
  uptime(): number {
    return this.shared.timeline.now - this.#bootedAt;
  }

  get isSuspended(): boolean {
    return this.#suspendedAt !== undefined;
  }

  note(what: string): void {
    this.shared.trace.note(this.name, what);
  }

  /**
   * Calls `happen` after this much monotonic time, unless the machine has been switched off since. Returns a function
   * that cancels the call.
   */
  after(milliseconds: number, happen: () => void): () => void {
    const { boots } = this;
    const due = this.monotonic() + milliseconds;
    let cancel = () => {};
    const ring = () => {
      if (this.boots !== boots || this.isOff) {
        return;
      }
      if (this.isSuspended) {
        this.#onResume.push(ring);
        return;
      }
      const left = due - this.monotonic();
      if (left > 0) {
        cancel = this.shared.timeline.after(left, ring);
        return;
      }
      happen();
    };
    cancel = this.shared.timeline.after(milliseconds, ring);
    return () => cancel();
  }

  /** Calls `happen` at once, or when the machine is resumed. */
  atOnce(happen: () => void): void {
    if (this.isSuspended) {
      this.after(0, happen);
    } else if (!this.isOff) {
      happen();
    }
  }

  setClock(by: number): void {
    this.#wallOffset += by;
    this.note(`the clock is set by ${by / 1_000} s`);
  }

  suspend(milliseconds: number): void {
    const { boots } = this;
    if (this.isOff || this.isSuspended) {
      return;
    }
    this.#suspendedAt = this.shared.timeline.now;
    this.note(`is suspended for ${milliseconds / 1_000} s`);
    this.shared.timeline.after(milliseconds, () => {
      if (this.boots === boots && this.isSuspended) {
        this.#resume();
      }
    });
  }

  #resume(): void {
    this.#suspendedFor += this.shared.timeline.now - (this.#suspendedAt ?? 0);
    this.#suspendedAt = undefined;
    this.note('is resumed');
    const waiting = this.#onResume;
    this.#onResume = [];
    for (const ring of waiting) {
      ring();
    }
  }

  /** Ends everything on the machine at once, as a power failure does. */
  switchOff(): void {
    this.note('is switched off');
    this.isOff = true;
    this.#suspendedAt = undefined;
    this.#onResume = [];
    this.files.remove('/run');
    this.files.makeDirectory('/run');
  }

  switchOn(): void {
    this.boots += 1;
    this.isOff = false;
    this.#bootedAt = this.shared.timeline.now;
    this.#suspendedFor = 0;
    const id = this.shared.random.hex(32);
    const uuid = id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    this.files.write('/proc/sys/kernel/random/boot_id', `${uuid}\n`);
    this.note('boots');
  }
}
