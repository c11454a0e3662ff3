/** Parses kubectl's command lines; knows the flags of each verb, and throws kubectl's errors. */

export interface Line {
  readonly verb: string;
  readonly words: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
}

const everywhere = {
  values: [
    ...['kubeconfig', 'context', 'namespace', 'output', 'request-timeout', 'cache-dir', 'server'],
    'token',
  ],
  switches: ['insecure-skip-tls-verify'],
};

/** The verbs that Slipway or a test uses, each with the flags that it accepts besides those in `everywhere`. */
const verbs: Readonly<Record<string, Partial<typeof everywhere>>> = {
  get: { values: ['raw'], switches: ['all-namespaces', 'ignore-not-found', 'no-headers', 'show-labels'] },
  delete: { switches: ['all-namespaces', 'ignore-not-found'] },
  version: { switches: ['client'] },
  annotate: { switches: ['overwrite'] },
  create: { values: ['filename', 'validate'] },
};

const short: Readonly<Record<string, string>> = {
  n: 'namespace',
  o: 'output',
  A: 'all-namespaces',
  s: 'server',
  f: 'filename',
};

/** Parses a command line; throws kubectl's error for an unknown verb or flag, and for a flag whose value is missing. */
export function commandLine(args: readonly string[]): Line {
  const verb = args.find((arg, at) => !arg.startsWith('-') && !isValue(args[at - 1])) ?? '';
  const own = verbs[verb];
  if (own === undefined) {
    throw new Error(`error: unknown command "${verb}" for "kubectl"`);
  }
  const values = [...everywhere.values, ...(own.values ?? [])];
  const switches = [...everywhere.switches, ...(own.switches ?? [])];
  const rest = [...args];
  const words: string[] = [];
  const flags = new Map<string, string>();
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, dashes, given, joined] = /^(--?)([^=]+)(?:=([\s\S]*))?$/.exec(arg) ?? [];
    if (given === undefined) {
      words.push(arg);
    } else {
      const flag = dashes === '-' ? (short[given] ?? given) : given;
      if (switches.includes(flag)) {
        flags.set(flag, joined ?? 'true');
      } else if (!values.includes(flag)) {
        throw unknownFlag(`${dashes}${given}`, verb);
      } else {
        flags.set(flag, joined ?? rest.shift() ?? needed(`${dashes}${given}`));
      }
    }
  }
  return { verb, words: words.slice(1), flags };
}

/** True if the argument after `before` is the value of a flag. */
function isValue(before = ''): boolean {
  const [, given = ''] = /^--?([^=]+)$/.exec(before) ?? [];
  const all = Object.values(verbs).flatMap(({ values = [] }) => values);
  return [...everywhere.values, ...all].includes(short[given] ?? given);
}

function unknownFlag(flag: string, verb: string): Error {
  return new Error(`error: unknown flag: ${flag}\nSee 'kubectl ${verb} --help' for usage.`);
}

function needed(flag: string): never {
  throw new Error(`error: flag needs an argument: ${flag}`);
}
