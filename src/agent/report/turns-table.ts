import { printableLine } from '../engine/printable.ts';
import type { TurnsReport } from '../parts/maintenance/index.ts';

/** Returns the turns of the fleet as a table for people. */
export function turnsTable({ holder, turns, stopped }: TurnsReport): string {
  const grants = holder ? `${holder} grants the turns.\n` : '';
  if (turns.length === 0) {
    return `No node has a turn or waits for one.\n${grants}`;
  }
  const rows = [
    ['NODE', 'WISH', 'STATE'],
    ...turns.map(({ node, wish, message }) => [node, wish, message].map(printableLine)),
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const stops = stopped.map(
    ({ wish, node, hasTurn }) =>
      `No further turns for "${wish}", until: slipway turn continue "${wish}" (first repair ${node}` +
      `${hasTurn ? `; if it will not come back: slipway turn release ${node}` : ''})`,
  );
  return [...lines, '', ...stops, grants].join('\n');
}
