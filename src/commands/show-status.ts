/** `slipway status`: the report of the last pass, printed as text, JSON or YAML. */
import { isatty } from 'node:tty';
import { stringify } from 'yaml';
import type { HostReader } from '../agent/engine/host.ts';
import { printable } from '../agent/engine/printable.ts';
import { isLocked } from '../agent/host/files/lock.ts';
import { nodeHost } from '../agent/host/node-host.ts';
import { complain, printStyled } from '../agent/host/process/print.ts';
import { nodePaths } from '../agent/paths.ts';
import { statusOutput } from '../agent/report/output.ts';
import { readStatus, type Status } from '../agent/report/status.ts';
import { statusText } from '../agent/report/status-text.ts';
import type { StatusOptions } from './cli.ts';
import { terminal } from './terminal.ts';

/** The interval between two readings of the status; milliseconds. */
const rhythm = 2_000;

const between = { table: '\n', json: '', yaml: '---\n' } as const;
const clearScreen = '\u001b[H\u001b[J';

/**
 * Prints the status. Resolves to 0 if the node is Ready, 1 if not, 3 if no daemon runs. With `watch`, repeats this
 * until interrupted.
 */
export async function showStatus(options: StatusOptions): Promise<number> {
  const host = nodeHost({ root: options.root });
  let seen = await lookAtStatus(host, options);
  let exitCode = await showSeen(host, seen, options, '');
  while (options.watch) {
    await host.sleep(rhythm);
    const before = seen;
    seen = await lookAtStatus(host, options);
    // A terminal is redrawn so that the ages stay current; a pipe gets only changes.
    if (!isatty(1) && isSame(seen, before)) {
      continue;
    }
    exitCode = await showSeen(host, seen, options, isatty(1) ? clearScreen : between[options.output]);
  }
  return exitCode;
}

interface Seen {
  readonly status: Status | undefined;
  /** True if the daemon runs. */
  readonly running: boolean;
}

async function lookAtStatus(host: HostReader, { root }: StatusOptions): Promise<Seen> {
  const { slipway } = nodePaths(root);
  return { status: await readStatus(host, slipway.status), running: await isLocked(host, slipway.lock) };
}

function isSame(one: Seen, other: Seen): boolean {
  return one.running === other.running && one.status?.updated === other.status?.updated;
}

async function showSeen(
  host: HostReader,
  { status, running }: Seen,
  options: StatusOptions,
  before: string,
): Promise<number> {
  if (!status) {
    const { slipway } = nodePaths(options.root);
    const found = (await host.stat(slipway.status)) === undefined ? 'is not there' : 'is damaged';
    const problem = `nothing is known of this node: ${slipway.status} ${found}`;
    if (before !== '') {
      printStyled(before);
    }
    complain(`slipway: ${problem}. ${nextStep(options.root, running)}\n`);
    return running ? 1 : 3;
  }
  printStyled(before + printedStatus(status, running, options, host.now()));
  if (!running) {
    return 3;
  }
  return status.conditions[0]?.status === 'True' ? 0 : 1;
}

function nextStep(root: string, running: boolean): string {
  const start = root === '/' ? 'systemctl start slipway' : `slipway run --root ${root}`;
  return running
    ? 'The daemon writes it at the end of its next pass: wait for that.'
    : `Start the daemon: ${start}`;
}

function printedStatus(status: Status, running: boolean, { output }: StatusOptions, now: number): string {
  switch (output) {
    case 'json':
      return printable(`${JSON.stringify(statusOutput(status, running), undefined, 2)}\n`);
    case 'yaml':
      return printable(
        stringify(statusOutput(status, running), { lineWidth: 0, aliasDuplicateObjects: false }),
      );
    case 'table':
      return statusText(status, { running, now, ...terminal() });
  }
}
