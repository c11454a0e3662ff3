/**
 * The flags of flux 2.9 and how they are parsed.
 *
 * Names and types: fluxcd/flux2 cmd/flux/main.go, bootstrap.go, bootstrap_*.go, check.go. Parsing and messages:
 * spf13/pflag. kubectl's `--token`, a bearer token for the API, is omitted, because no caller should pass it.
 */
import { type FlagType, validate } from './flux-flag-types.ts';

type Flags = Readonly<Record<string, FlagType>>;

export const rootFlags = {
  as: 'string',
  // pflag's stringArray, which does not split at commas
  'as-group': 'string',
  'as-uid': 'string',
  'as-user-extra': 'string',
  'cache-dir': 'string',
  'certificate-authority': 'string',
  'client-certificate': 'string',
  'client-key': 'string',
  cluster: 'string',
  context: 'string',
  'disable-compression': 'bool',
  help: 'bool',
  'insecure-skip-tls-verify': 'bool',
  'kube-api-burst': 'int',
  'kube-api-qps': 'float',
  kubeconfig: 'string',
  namespace: 'string',
  'ns-follows-kube-context': 'bool',
  server: 'string',
  timeout: 'duration',
  'tls-server-name': 'string',
  user: 'string',
  verbose: 'bool',
} as const satisfies Flags;

const bootstrapFlags = {
  'author-email': 'string',
  'author-name': 'string',
  branch: 'string',
  'ca-file': 'string',
  'cluster-domain': 'string',
  'commit-message-appendix': 'string',
  components: 'strings',
  'components-extra': 'strings',
  force: 'bool',
  'gpg-key-id': 'string',
  'gpg-key-ring': 'string',
  'gpg-passphrase': 'string',
  'image-pull-secret': 'string',
  'log-level': 'level',
  'network-policy': 'bool',
  'private-key-file': 'string',
  'recurse-submodules': 'bool',
  registry: 'string',
  'registry-creds': 'string',
  'secret-name': 'string',
  'sparse-checkout': 'strings',
  'ssh-ecdsa-curve': 'string',
  'ssh-hostkey-algos': 'strings',
  'ssh-hostname': 'string',
  'ssh-key-algorithm': 'string',
  'ssh-rsa-bits': 'bits',
  'ssh-signing-key-file': 'string',
  'ssh-signing-password': 'string',
  'ssh-signing-reuse-private-key': 'bool',
  'token-auth': 'bool',
  'toleration-keys': 'strings',
  version: 'string',
  'watch-all-namespaces': 'bool',
} as const satisfies Flags;

const hostedFlags = {
  hostname: 'string',
  interval: 'duration',
  owner: 'string',
  path: 'string',
  personal: 'bool',
  private: 'bool',
  'read-write-key': 'bool',
  reconcile: 'bool',
  repository: 'string',
} as const satisfies Flags;

/** Every command of the stand-in, with its flags. */
export const commands: Readonly<Record<string, Flags>> = {
  '': { ...rootFlags, version: 'bool' },
  check: {
    ...rootFlags,
    components: 'strings',
    'components-extra': 'strings',
    'poll-interval': 'duration',
    pre: 'bool',
  },
  bootstrap: { ...rootFlags, ...bootstrapFlags },
  'bootstrap github': { ...rootFlags, ...bootstrapFlags, ...hostedFlags, team: 'strings' },
  'bootstrap gitea': { ...rootFlags, ...bootstrapFlags, ...hostedFlags, team: 'strings' },
  'bootstrap bitbucket-server': {
    ...rootFlags,
    ...bootstrapFlags,
    ...hostedFlags,
    group: 'strings',
    username: 'string',
  },
  'bootstrap gitlab': {
    ...rootFlags,
    ...bootstrapFlags,
    ...hostedFlags,
    'deploy-token-auth': 'bool',
    team: 'strings',
    visibility: 'string',
  },
  'bootstrap git': {
    ...rootFlags,
    ...bootstrapFlags,
    'allow-insecure-http': 'bool',
    interval: 'duration',
    password: 'string',
    path: 'string',
    silent: 'bool',
    url: 'string',
    username: 'string',
    'with-bearer-token': 'bool',
  },
};

const shorthands: Readonly<Record<string, string>> = {
  h: 'help',
  n: 'namespace',
  p: 'password',
  s: 'silent',
  u: 'username',
  v: 'version',
};

/**
 * A parsed command line: `text` returns a flag's last value, `list` all its values split at commas, and `on` a boolean.
 * For a missing flag, each returns `fallback`.
 */
export interface Parsed {
  readonly command: string;
  text(name: string, fallback?: string): string;
  list(name: string, fallback: readonly string[]): readonly string[];
  on(name: string, fallback?: boolean): boolean;
}

/** Parses a command line; throws errors with the messages of pflag and cobra. */
export function parse(args: readonly string[]): Parsed {
  const words = args.filter((arg) => !arg.startsWith('-'));
  const command = ['bootstrap', 'check'].includes(words[0] ?? '') ? commandOf(words) : '';
  if (command === '' && words.length > 0) {
    throw new Error(`unknown command "${words[0]}" for "flux"`);
  }
  const flags = commands[command] ?? {};
  const values = new Map<string, string[]>();
  for (const [at, arg] of args.entries()) {
    if (!arg.startsWith('-')) {
      continue;
    }
    const { name, value } = split(arg, flags);
    const type = flags[name] ?? 'string';
    const given = value ?? (type === 'bool' ? 'true' : args[at + 1]);
    if (given === undefined) {
      throw new Error(`flag needs an argument: ${arg}`);
    }
    validate(name, type, given);
    values.set(name, [...(values.get(name) ?? []), given]);
  }
  return {
    command,
    text: (name, fallback = '') => values.get(name)?.at(-1) ?? fallback,
    list: (name, fallback) => values.get(name)?.flatMap((value) => value.split(',')) ?? fallback,
    on: (name, fallback = false) => isTrue(values.get(name)?.at(-1) ?? String(fallback)),
  };
}

function commandOf([first = '', second = '']: readonly string[]): string {
  const longest = `${first} ${second}`;
  return longest in commands ? longest : first;
}

function split(arg: string, flags: Flags): { readonly name: string; readonly value: string | undefined } {
  const [, dashes = '', word = '', value] = /^(--?)([^=]*)(?:=([\s\S]*))?$/.exec(arg) ?? [];
  const name = dashes === '-' ? shorthands[word] : word;
  if (name !== undefined && name in flags) {
    return { name, value };
  }
  throw new Error(
    dashes === '-' ? `unknown shorthand flag: '${word[0]}' in ${arg}` : `unknown flag: --${word}`,
  );
}

function isTrue(value: string): boolean {
  return /^(1|t|T|true|True|TRUE)$/.test(value);
}
