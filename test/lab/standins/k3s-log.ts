/** Logs to stderr in K3s's format: that of logrus's TextFormatter without a terminal. */

export type Level = 'info' | 'warning' | 'error' | 'fatal';

export function log(level: Level, message: string): void {
  const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  process.stderr.write(`time="${time}" level=${level} msg=${quoted(message)}\n`);
}

/** Logs like logrus.Fatal, then exits with code 1. */
export function fatal(message: string): never {
  log('fatal', message);
  process.exit(1);
}

/** Logs an error in the format of klog, then exits with code 1, as kubelet does (k8s.io/component-base/cli). */
export function klogFatal(message: string, error: string): never {
  const [date = '', time = ''] = new Date().toISOString().split(/[TZ]/);
  const head = `E${date.slice(5).replace('-', '')} ${time}000 ${String(process.pid).padStart(7)} run.go:72]`;
  process.stderr.write(`${head} ${JSON.stringify(message)} err=${JSON.stringify(error)}\n`);
  process.exit(1);
}

/**
 * Logs an error, then exits with code 0, as K3s does when one of its components ends (pkg/signals/signals.go; seen on a
 * real K3s 1.36).
 */
export function shutDown(why: string): never {
  log('error', `Shutdown request received: ${JSON.stringify(why)}`);
  process.exit(0);
}

export function kubeletExited(why: string): never {
  shutDown(`kubelet exited: ${why}`);
}

function quoted(text: string): string {
  return /^[\w\-./@^+]+$/.test(text) ? text : JSON.stringify(text);
}
