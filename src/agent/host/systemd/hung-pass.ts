import { endChildren } from '../process/exec.ts';
import type { Repeat } from './notify.ts';

/**
 * Milliseconds after which a pass counts as hung. The limit is high, because a bootstrap may use its whole timeout, and
 * a download by `slipway apply` may take 15 minutes.
 */
export const longestPass = 60 * 60_000;
/** Milliseconds between two checks for a hung pass, which are few because each wakes the process. */
const lookEvery = 5 * 60_000;

const unreferenced: Repeat = (call, milliseconds) => void setInterval(call, milliseconds).unref();

/**
 * Checks every five minutes whether `isAlive` still returns true. If not, calls `tell` with the cause, kills every
 * running command, and ends the process with exit code 1.
 */
export function endWhenHung(
  isAlive: () => boolean,
  tell: (why: string) => void,
  repeat = unreferenced,
  exit: (code: number) => void = process.exit,
): void {
  const look = () => {
    if (isAlive()) {
      return;
    }
    tell('a pass that did not end within an hour; please report this defect');
    endChildren();
    exit(1);
  };
  repeat(look, lookEvery);
}
