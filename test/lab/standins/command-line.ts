/** A model of GNU getopt_long as systemd's programs use it: short and long options in any order, no abbreviations. */

export interface OptionSpec {
  readonly long: string;
  readonly short?: string;
  readonly takes?: 'value' | 'optional';
}

export interface Parsed {
  readonly words: readonly string[];
  readonly has: (long: string) => boolean;
  readonly values: (long: string) => readonly string[];
}

/** Parses arguments. For an invalid option, prints getopt's message and exits with 1. */
export function parseCommandLine(
  program: string,
  specs: readonly OptionSpec[],
  args: readonly string[],
): Parsed {
  const words: string[] = [];
  const found: [string, string][] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') {
      words.push(...rest.splice(0));
    } else if (arg.startsWith('--')) {
      const [name = '', ...value] = arg.slice(2).split('=');
      const spec =
        specs.find((each) => each.long === name) ?? refuse(`${program}: unrecognized option '--${name}'`);
      const joined = value.length === 0 ? undefined : value.join('=');
      if (spec.takes === undefined && joined !== undefined) {
        refuse(`${program}: option '--${name}' doesn't allow an argument`);
      }
      const given = joined ?? (spec.takes === 'value' ? rest.shift() : '');
      found.push([spec.long, given ?? refuse(`${program}: option '--${name}' requires an argument`)]);
    } else if (arg.startsWith('-') && arg !== '-') {
      shortOptions(arg.slice(1));
    } else {
      words.push(arg);
    }
  }

  function shortOptions(letters: string): void {
    const [letter = ''] = letters;
    const spec =
      specs.find((each) => each.short === letter) ?? refuse(`${program}: invalid option -- '${letter}'`);
    const tail = letters.slice(1);
    if (spec.takes === undefined) {
      found.push([spec.long, '']);
      if (tail !== '') {
        shortOptions(tail);
      }
    } else {
      const given = tail !== '' || spec.takes === 'optional' ? tail : rest.shift();
      found.push([spec.long, given ?? refuse(`${program}: option requires an argument -- '${letter}'`)]);
    }
  }

  const values = (long: string) => found.filter(([name]) => name === long).map(([, value]) => value);
  return { words, values, has: (long) => values(long).length > 0 };
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
