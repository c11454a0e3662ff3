import type { CommandResult } from '../../src/agent/engine/host.ts';

/** A simulated kernel with one table of Slipway, and the nft commands that Slipway uses; any other command fails. */
export class Netfilter {
  readonly #name: string;
  #table: string | undefined;
  /** The error that nft reports for every file, if set. */
  refuses: string | undefined;

  /** Creates a kernel for the table of this family and name, such as `inet slipway_imds`. */
  constructor(name: string) {
    this.#name = name;
  }

  flush(): void {
    this.#table = undefined;
  }

  /** Empties the chains, as `nft flush table` does. */
  emptyChains(): void {
    this.#table = this.#table?.replace(/^\t\t.*\n/gm, '');
  }

  get rules(): string | undefined {
    return this.#table;
  }

  /**
   * Loads rules as `nft -f` loads a file with this text; `undefined` stands for a missing file. Returns the error, if
   * any; after an error the table is unchanged.
   */
  load(text: string | undefined): string | undefined {
    if (text === undefined) {
      return 'Error: Could not open file: No such file or directory';
    }
    if (this.refuses !== undefined) {
      return this.refuses;
    }
    const name = this.#name;
    const form = new RegExp(
      `^table ${name}\\ndelete table ${name}\\n(table ${name} \\{\\n[\\s\\S]*\\n\\})\\n$`,
    );
    const [, table] = form.exec(text.replace(/^#.*\n/gm, '')) ?? [];
    if (table === undefined) {
      return 'Error: syntax error, unexpected string';
    }
    this.#table = table;
    return undefined;
  }

  /**
   * Runs the `nft list` or `nft delete` in these arguments of systemd-run(1), and returns what nft prints, or its exit
   * code and error. Fails for any other command.
   */
  systemdRun(args: readonly string[]): string | Partial<CommandResult> {
    const line = args.join(' ');
    const options =
      '--quiet --wait --pipe --collect --no-ask-password --property=LogLevelMax=notice --setenv=LC_ALL=C';
    const [, verb] =
      new RegExp(`^${options} /usr/sbin/nft (list|delete) table ${this.#name}$`).exec(line) ?? [];
    if (verb === undefined) {
      return { exitCode: 1, stderr: `The test did not foresee: systemd-run ${line}` };
    }
    const table = this.#table;
    if (table === undefined) {
      return { exitCode: 1, stderr: `Error: No such file or directory\n${line}\n` };
    }
    if (verb === 'delete') {
      this.flush();
    }
    return verb === 'delete' ? '' : listed(table);
  }
}

/** Returns the table as nft lists it, with `reject` in full and the priorities 0 and 100 by name. */
function listed(table: string): string {
  const full = table.replace(/ reject$/gm, ' reject with icmp port-unreachable');
  const named = full
    .replaceAll('priority 0;', 'priority filter;')
    .replaceAll('priority 100;', 'priority srcnat;');
  return `${named}\n`;
}
