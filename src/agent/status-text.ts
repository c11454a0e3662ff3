import type { Status } from './publish.ts';

/** The conditions as a table for people; `running` is whether the daemon lives, where there is one to speak of. */
export function statusText(status: Status, running: boolean | undefined, now: number): string {
  const { role, node, version, conditions } = status;
  const rows = conditions.map(({ type, status, reason, message, lastTransitionTime }) => [
    type,
    status,
    age(now - Date.parse(lastTransitionTime)),
    reason,
    message,
  ]);
  return [
    `${node ?? 'unnamed node'}  ${role ?? 'no role yet'}  slipway ${version}`,
    lifeLine(status, running, now),
    '',
    ...table([['CONDITION', 'STATUS', 'AGE', 'REASON', 'MESSAGE'], ...rows]),
    '',
  ].join('\n');
}

function lifeLine({ updated, nextPass }: Status, running: boolean | undefined, now: number): string {
  if (running === undefined) return 'applied once; no daemon keeps it so';
  if (!running) return `the daemon is not running; this is from ${age(now - Date.parse(updated))} ago`;
  return `next pass in ${age(Date.parse(nextPass.at) - now)} (${nextPass.because})`;
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A duration in the two largest units that matter: `3h12m`, `45s`. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days}d${hours}h`;
  if (hours > 0) return `${hours}h${minutes}m`;
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}
