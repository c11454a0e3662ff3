import { remembering } from '../../../engine/remembering.ts';
import { assigned, type UnitLine, unitLines, unitWords } from '../../../resources/unit-text.ts';
import { isMap } from '../../../settings/path.ts';
import { readK3sYaml } from '../../../settings/yaml.ts';
import { type K3sKeyType, k3sKeys } from './config-keys.ts';

/** A K3s flag as given: its name without dashes, its values, and the file and line that set it. */
export interface GivenFlag {
  readonly name: string;
  readonly values: readonly string[];
  readonly path: string;
  /** The line number, counted from 1. */
  readonly line: number;
  /** True if the values are appended to earlier ones; false if they replace them. */
  readonly adds: boolean;
}

/** A command line of K3s: its subcommand, such as `server`, and its flags. */
export interface K3sCommandLine {
  readonly command: string | undefined;
  readonly flags: readonly Pick<GivenFlag, 'name' | 'values'>[];
}

/**
 * The long name of each K3s flag that has a short one, by the short name (pkg/cli/cmds/agent.go, server.go and
 * config.go).
 */
const aliases: Readonly<Record<string, string>> = {
  d: 'data-dir',
  t: 'token',
  s: 'server',
  c: 'config',
  l: 'log',
};

/**
 * Parses a command line, given as words split as systemd does; `undefined` if the program is not k3s itself but, for
 * example, a wrapper script.
 */
export function k3sCommandLine(words: readonly string[]): K3sCommandLine | undefined {
  const [program = '', ...rest] = words;
  if (!/(^|\/)k3s$/.test(program.replace(/^[-@:+!|]+/, ''))) {
    return undefined;
  }
  const plain: string[] = [];
  const flags: Pick<GivenFlag, 'name' | 'values'>[] = [];
  for (let at = 0; at < rest.length; at += 1) {
    const [word = '', next] = rest.slice(at);
    const [, written, attached] = /^--?([A-Za-z0-9-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (written === undefined) {
      plain.push(word);
      continue;
    }
    const name = aliases[written] ?? written;
    const isSwitch = attached === undefined && isBool(name, next);
    if (attached === undefined && !isSwitch) {
      at += 1;
    }
    flags.push({ name, values: listed(name, attached ?? (isSwitch ? 'true' : (next ?? ''))) });
  }
  return { command: plain[0], flags };
}

/**
 * True if the flag takes no value. Every other known flag takes the next word as its value. An unknown flag takes the
 * next word unless that word begins with a dash.
 */
function isBool(name: string, next: string | undefined): boolean {
  const type = keyType(name);
  return type === 'Bool' || (type === undefined && (next ?? '-').startsWith('-'));
}

/**
 * Returns the values of a flag: the parts between commas if the flag is a list, as in K3s; otherwise the whole string.
 * Does not split arguments that K3s passes on to other programs (`-arg`).
 */
function listed(name: string, value: string): readonly string[] {
  return isList(name) && !name.endsWith('-arg')
    ? value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean)
    : [value];
}

/** Returns the flags that a unit's ExecStart= gives K3s; empty if ExecStart= is missing or runs another program. */
export function unitFlags(text: string, path: string): readonly GivenFlag[] {
  const start = execStart(text);
  const flags = start ? (k3sCommandLine(unitWords(start.value))?.flags ?? []) : [];
  return flags.map((flag) => ({ ...flag, path, line: start?.line ?? 1, adds: isList(flag.name) }));
}

/** Returns the last, and so effective, ExecStart= of a unit; `undefined` if the unit has none. */
export function execStart(text: string): UnitLine | undefined {
  return assigned(unitLines(text), 'ExecStart').at(-1);
}

/**
 * Returns the flags in a configuration file of K3s; empty if its text is not a YAML map. Takes the text and the path of
 * the file, and reads again only if the text at this path has changed.
 */
export const configFlags = remembering((text, path): readonly GivenFlag[] => {
  const { value } = readK3sYaml(text, path);
  return isMap(value) ? configuredFlags(value, path, (key) => lineOf(text, key)) : [];
});

/** Returns the flags that the keys of a configuration set. */
export function configuredFlags(
  config: Readonly<Record<string, unknown>>,
  path: string,
  line: (key: string) => number = () => 1,
): readonly GivenFlag[] {
  return Object.entries(config).map(([key, given]) => {
    const name = flagOf(key);
    const values = [given].flat().flatMap((item) => (item === null ? [] : listed(name, String(item))));
    return { name, values, path, line: line(key), adds: key.endsWith('+') };
  });
}

/** Returns the name of the flag that a key in a configuration file sets: `data-dir` for `d`, and `key` for `key+`. */
export function flagOf(key: string): string {
  const name = key.replace(/\+$/, '');
  return aliases[name] ?? name;
}

/** True for a flag that may be given several times; false for an unknown flag. */
export function isList(name: string): boolean {
  return keyType(name) === 'StringSlice';
}

function keyType(name: string): K3sKeyType | undefined {
  return k3sKeys.find((key) => key.name === name)?.type;
}

function lineOf(text: string, key: string): number {
  const name = key.replace(/[+]$/, '\\+').replace(/[^\w+\\-]/g, '.');
  const at = text.search(new RegExp(`(?<=^|[{,\\s])["']?${name}["']?\\s*:`, 'm'));
  return text.slice(0, Math.max(at, 0)).split('\n').length;
}
