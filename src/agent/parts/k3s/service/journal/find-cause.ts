import * as z from 'zod/mini';
import type { CloudHints } from '../../../../clouds/driver.ts';
import { parseJson } from '../../../../engine/json.ts';
import type { Reason } from '../../../../engine/reasons.ts';
import { redacted } from '../../../../engine/secret.ts';
import type { Severity } from '../../../../engine/severity.ts';
import { journalCauses } from './causes.ts';
import type { KnownLine } from './known-line.ts';

/** Why K3s does not start, as a condition reports it: the reason, the message, and what can end the fault. */
export interface Cause extends Pick<Severity, 'endedBy'> {
  readonly reason: Reason;
  readonly message: string;
  /** Whether this release or something else is at fault; see KnownLine. */
  readonly fault?: KnownLine['fault'];
}

/**
 * Returns the cause that the K3s log shows: that of the newest line that matches an entry of `table` for this command.
 * `undefined` if no line matches.
 */
export function findCause(
  log: string,
  command: 'server' | 'agent',
  hints: CloudHints,
  table: readonly KnownLine[] = journalCauses,
): Cause | undefined {
  const known = table.filter(({ agentOnly }) => !agentOnly || command === 'agent');
  for (const line of log.split('\n').reverse()) {
    const said = logMessage(line);
    const cause = known.find(({ pattern }) => pattern.test(said));
    if (!cause) {
      continue;
    }
    const { reason, repair, endedBy = 'person', fault } = cause;
    const advice = typeof repair === 'string' ? repair : repair(hints);
    const message = `K3s says: "${shortenedLine(said)}". ${advice}`;
    return { reason, message, endedBy, ...(fault && { fault }) };
  }
  return undefined;
}

/**
 * Returns the message of the last fatal, error or panic line of the K3s log or, if it has none, of the last line;
 * `undefined` for an empty log. Truncates a long message.
 */
export function lastWords(log: string): string | undefined {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const line =
    lines.findLast((line) => /level=(fatal|error)|^(Error|panic):|^[EF]\d{4} /.test(line)) ?? lines.at(-1);
  return line && shortenedLine(logMessage(line));
}

/** Matches the prefix of a message from klog (k8s.io/klog/v2): severity and date, time, process, source line. */
const klogHead = /^[IWEF]\d{4} [\d:.]+\s+\d+ \S+:\d+\] /;

/**
 * Returns the message in a line from logrus (`time=... level=... msg="..."`) or klog; returns any other line unchanged.
 */
function logMessage(line: string): string {
  const [, quoted, bare] = /\bmsg=(?:("(?:[^"\\]|\\.)*")|(\S+))/.exec(line) ?? [];
  if (bare !== undefined) {
    return bare;
  }
  if (quoted === undefined) {
    return line.trim().replace(klogHead, '');
  }
  return parseJson(z.string(), quoted) ?? quoted.slice(1, -1);
}

function shortenedLine(text: string): string {
  const shown = withoutPasswords(text);
  return shown.length > 300 ? `${shown.slice(0, 299)}…` : shown;
}

/**
 * Returns the line without passwords of a datastore. Go quotes an endpoint that it cannot parse, and then the part at
 * fault, which may be the password; so everything after the scheme is left out there.
 */
function withoutPasswords(line: string): string {
  return line
    .replace(/(parse "?[a-z]+:\/\/).*$/s, `$1${redacted}`)
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s"'`]*@/gi, `$1${redacted}@`)
    .replace(/[^\s"'`]+@(tcp|unix)\(/g, `${redacted}@$1(`);
}
