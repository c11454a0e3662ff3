/** Renders the report as a Markdown table, as in the README. */
import type { Machine } from './machine.ts';
import type { Row } from './measure.ts';

export function table(machine: Machine, rows: readonly Row[], notes: readonly string[]): string {
  const about = Object.entries(machine).map(([name, value]) => `${name} ${value}`);
  const lines = rows.map(
    (row) =>
      `| ${row.measure} | ${row.contender} | ${shown(row, row.median)} | ${shown(row, row.min)} to ${shown(row, row.max)} | ${row.runs} |`,
  );
  return [
    about.join('; '),
    '',
    '| measure | of | median | from, to | runs |',
    '|---|---|---|---|---|',
    ...lines,
    ...notes.map((note) => `\n${note}`),
    '',
  ].join('\n');
}

function shown({ unit }: Row, value: number): string {
  return unit === 'bytes' ? `${value.toLocaleString('en')} bytes` : `${value.toFixed(1)} ${unit}`;
}
