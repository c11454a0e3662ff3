import type { CommandResult } from '../../src/agent/engine/host.ts';

const name = 'inet slipway_imds';
const form = new RegExp(`^table ${name}\\ndelete table ${name}\\n(table ${name} \\{\\n[\\s\\S]*\\n\\})\\n$`);

/** Slipway's table in a kernel, and the subset of nft that Slipway uses; anything else is refused. */
export class Netfilter {
  #table: string | undefined;
  /** The error that nft reports for every file from now on. */
  refuses: string | undefined;

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

  /** Loads a file with this text as `nft -f` does. Returns the error, after which nothing is changed. */
  load(text: string | undefined): string | undefined {
    if (text === undefined) {
      return 'Error: Could not open file: No such file or directory';
    }
    if (this.refuses !== undefined) {
      return this.refuses;
    }
    const [, table] = form.exec(text.replace(/^#.*\n/gm, '')) ?? [];
    if (table === undefined) {
      return 'Error: syntax error, unexpected string';
    }
    this.#table = table;
    return undefined;
  }

  /** systemd-run(1): ends with the result of the command in its unit. */
  systemdRun(args: readonly string[]): string | Partial<CommandResult> {
    const line = args.join(' ');
    const options =
      '--quiet --wait --pipe --collect --no-ask-password --property=LogLevelMax=notice --setenv=LC_ALL=C';
    const [, verb] = new RegExp(`^${options} /usr/sbin/nft (list|delete) table ${name}$`).exec(line) ?? [];
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

/** Prints `reject` in full and the priority 0 by its name, as nft does. */
function listed(table: string): string {
  const full = table.replace(/ reject$/gm, ' reject with icmp port-unreachable');
  return `${full.replaceAll('priority 0;', 'priority filter;')}\n`;
}
