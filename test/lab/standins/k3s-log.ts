/** K3s's log lines on stderr, as logrus's TextFormatter writes them without a terminal. */

export type Level = 'info' | 'warning' | 'error' | 'fatal';

export function log(level: Level, message: string): void {
  const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  process.stderr.write(`time="${time}" level=${level} msg=${quoted(message)}\n`);
}

/** logrus.Fatal: the line, then exit code 1. */
export function fatal(message: string): never {
  log('fatal', message);
  process.exit(1);
}

function quoted(text: string): string {
  return /^[\w\-./@^+]+$/.test(text) ? text : JSON.stringify(text);
}
