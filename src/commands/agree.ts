import { createInterface } from 'node:readline/promises';
import { isatty } from 'node:tty';
import { misused } from './cli-forms.ts';

/**
 * Asks a person on the terminal to type yes. Without a terminal, throws `InvalidSettings`, whose message contains
 * `does`: what the command would do.
 */
export async function isAgreed(command: string, does: string, question: string): Promise<boolean> {
  if (!isatty(0)) {
    throw misused(
      command,
      `${does}, and there is no terminal to ask on. Nothing was changed; add --yes to do it.`,
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(`Type yes to ${question}: `)).trim() === 'yes';
  } finally {
    terminal.close();
  }
}
