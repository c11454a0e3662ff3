/**
 * Parses unit files as systemd does (systemd.syntax(7)), but knows only the directives that a node agent writes.
 * Handles any other directive as systemd handles a misspelt one: with a warning in the journal, and without any other
 * effect.
 */
import { basename } from 'node:path';

export interface UnitFile {
  readonly warnings: readonly string[];
  /** Returns all values of a directive, in order; an empty assignment clears the earlier ones. */
  readonly all: (section: Section, key: string) => readonly string[];
  readonly last: (section: Section, key: string) => string | undefined;
}

type Section = 'Unit' | 'Service' | 'Install';

export function parseUnitFile(path: string, text: string): UnitFile {
  const values = new Map<string, string[]>();
  const warnings: string[] = [];
  let section = '';
  for (const [number, line] of logicalLines(text)) {
    const header = /^\[(.+)\]$/.exec(line)?.[1];
    if (header !== undefined) {
      section = header;
      if (!(header in known)) {
        warnings.push(`${path}:${number}: Unknown section '${header}'. Ignoring.`);
      }
      continue;
    }
    const [, key, value = ''] = /^([^=]+?)\s*=\s*(.*)$/.exec(line) ?? [];
    if (key === undefined) {
      warnings.push(`${path}:${number}: Missing '=', ignoring line.`);
    } else if (!(section in known)) {
    } else if (!known[section as Section].includes(key)) {
      warnings.push(`${path}:${number}: Unknown key name '${key}' in section '${section}', ignoring.`);
    } else if (value === '') {
      values.set(`${section}.${key}`, []);
    } else {
      const id = `${section}.${key}`;
      values.set(id, [...(values.get(id) ?? []), specifiers(basename(path), value)]);
    }
  }
  const all = (section: Section, key: string) => values.get(`${section}.${key}`) ?? [];
  return { warnings, all, last: (section, key) => all(section, key).at(-1) };
}

/** Splits a command line into words, and resolves quotes, escapes and variables as systemd.service(5) describes. */
export function splitCommand(line: string, environment: Readonly<Record<string, string>>): string[] {
  const words: string[] = [];
  for (const [raw] of line.matchAll(/(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+/g)) {
    const alone = /^\$(\w+)$/.exec(raw)?.[1];
    if (alone !== undefined) {
      words.push(...(environment[alone] ?? '').split(/\s+/).filter(Boolean));
    } else {
      words.push(
        unquoted(raw).replaceAll(/\$\$|\$\{(\w+)\}/g, (_, name) => (name ? (environment[name] ?? '') : '$')),
      );
    }
  }
  return words;
}

/**
 * Returns a time span in milliseconds; a number without a unit means seconds. Returns 0 for `infinity`, and NaN for an
 * unknown unit.
 */
export function timeSpan(text: string): number {
  if (text === 'infinity') {
    return 0;
  }
  const units: Record<string, number> = {
    '': 1_000,
    s: 1_000,
    sec: 1_000,
    ms: 1,
    min: 60_000,
    m: 60_000,
    h: 3_600_000,
  };
  return [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]*)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ''] ?? Number.NaN),
    0,
  );
}

const known: Readonly<Record<Section, readonly string[]>> = {
  Unit: `Description Documentation Wants After Before Requires StartLimitIntervalSec StartLimitBurst
    AssertPathExists`.split(/\s+/),
  Service:
    `Type NotifyAccess ExecStartPre ExecStart Environment EnvironmentFile KillMode Delegate User LimitNOFILE LimitNPROC
    LimitCORE TasksMax TimeoutStartSec TimeoutStopSec Restart RestartSec RuntimeDirectory RuntimeDirectoryMode
    RuntimeDirectoryPreserve RemainAfterExit UMask OOMScoreAdjust`.split(/\s+/),
  Install: ['WantedBy'],
};

function logicalLines(text: string): [number, string][] {
  const lines: [number, string][] = [];
  let open: [number, string] | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line.startsWith('#') || line.startsWith(';')) {
      continue;
    }
    const whole: [number, string] = open === undefined ? [index + 1, line] : [open[0], `${open[1]} ${line}`];
    open = whole[1].endsWith('\\') ? [whole[0], whole[1].slice(0, -1).trim()] : undefined;
    if (open === undefined && whole[1] !== '') {
      lines.push(whole);
    }
  }
  return lines;
}

function specifiers(unit: string, value: string): string {
  const name = unit.replace(/\.\w+$/, '');
  return value.replaceAll(
    /%(.)/g,
    (whole, letter) => ({ n: unit, N: name, p: name, '%': '%' })[letter as string] ?? whole,
  );
}

function unquoted(raw: string): string {
  return raw
    .replaceAll(/"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'/g, (_, double, single) => double ?? single)
    .replaceAll(/\\x([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(/\\(.)/g, (_, letter) => ({ s: ' ', n: '\n', t: '\t' })[letter as string] ?? letter);
}
