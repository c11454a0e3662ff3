import type { Command } from './host.ts';

/**
 * Returns a command as a person would type it, with secrets as `‹redacted›`. The text is for reading; nothing runs it.
 */
export function commandLine(command: Command): string {
  const environment = Object.entries(command.env ?? {}).map(
    ([name, value]) => `${name}=${quoted(`${value}`)}`,
  );
  return [...environment, ...[command.file, ...command.args].map(quoted)].join(' ');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./‹›~^-]+$/.test(word) ? word : shellWord(word);
}

/** Quotes a word for a shell's command line (POSIX, 2.2.2 Single-Quotes). */
export function shellWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
