/** What the machine prints at its console: one line for each check, and one at the end. */

/** The last line if every check passed. */
export const allPassed = 'arm64: all checks passed';

const failures: string[] = [];

/** Runs a check, and prints its name, how long it took and, if it failed, why; never rejects. */
export async function check(name: string, work: () => void | Promise<void>): Promise<void> {
  const begun = performance.now();
  try {
    await work();
    say(`ok      ${seconds(begun)}  ${name}`);
  } catch (thrown) {
    failures.push(name);
    say(`FAILED  ${seconds(begun)}  ${name}\n${thrown instanceof Error ? thrown.message : thrown}`);
  }
}

/** Prints the result of all checks. */
export function report(): void {
  say(failures.length === 0 ? allPassed : `arm64: failed: ${failures.join('; ')}`);
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function seconds(begun: number): string {
  return `${((performance.now() - begun) / 1000).toFixed(1)} s`.padStart(8);
}
