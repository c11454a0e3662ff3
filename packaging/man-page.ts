import { type CommandHelp, commandLine, type OptionHelp } from './command-line.ts';
import type { Release } from './release.ts';

/**
 * Returns the page slipway(8) in the macros of groff_man(7). Commands and options come from the definitions that parse
 * them.
 */
export function manPage({ version, date }: Release): string {
  const commands = commandLine();
  const shared = sharedOptions(commands);
  return [
    `.TH SLIPWAY 8 "${date.toISOString().slice(0, 10)}" "slipway ${version}" "System Administration"`,
    ...section('NAME', ['slipway \\- makes a cloud VM the K3s node its instance tags ask for']),
    ...section('SYNOPSIS', ['.B slipway', '.I command', '.RI [ option "] ..."']),
    ...section('DESCRIPTION', description.flatMap((paragraph) => ['.PP', text(paragraph)]).slice(1)),
    ...section('COMMANDS', commands.flatMap(commandEntry(shared))),
    ...section('OPTIONS', ['Several commands take these.', ...shared.flatMap(optionEntry)]),
    ...section(
      'FILES',
      files.flatMap(([path, meaning]) => entry(`.I ${text(path)}`, meaning)),
    ),
    ...section(
      'SIGNALS',
      signals.flatMap(([names, meaning]) => entry(`.B ${names}`, meaning)),
    ),
    ...section(
      'EXIT STATUS',
      exitStatus.flatMap(([code, meaning]) => entry(`.B ${code}`, meaning)),
    ),
    ...section('SEE ALSO', ['.BR systemctl (1),', '.BR journalctl (1),', text(seeAlso)]),
    '',
  ].join('\n');
}

const description = [
  'Slipway runs as slipway.service. It reads the role of the VM from its tags, waits for the join token in the vault of the cloud, installs K3s, renews registry credentials, hands a server over to GitOps, and corrects drift from then on.',
  'systemctl reload slipway retries at once. journalctl -u slipway shows the history, slipway status the conditions.',
];

const files = [
  ['/etc/slipway/config.yaml', 'The settings; the defaults apply without it.'],
  [
    '/etc/slipway/config.d/*.yaml',
    'More settings in the order of their names; later files override earlier ones.',
  ],
  ['/usr/lib/slipway/config.d/*.yaml', 'Settings of an image; all others override them.'],
  ['/var/lib/slipway', 'The join token, which K3s reads.'],
  ['/run/slipway/status.json', 'The last findings, for slipway status.'],
] as const;

const signals = [
  ['SIGTERM, SIGINT, SIGQUIT', 'Stop the daemon; the node stays as it is.'],
  ['SIGHUP', 'Retry at once.'],
  ['SIGUSR1, SIGUSR2', 'Have no effect.'],
] as const;

const exitStatus = [
  ['0', 'Done.'],
  ['1', 'An error, or a node that is not Ready; the message says what to do.'],
  ['2', 'slipway plan: something would change.'],
  ['3', 'slipway status: the daemon is not running.'],
] as const;

const seeAlso = 'and https://docs.k3s.io';

/** Returns each option that more than one command takes, without duplicates. */
function sharedOptions(commands: readonly CommandHelp[]): readonly OptionHelp[] {
  const all = commands.flatMap(({ options }) => options);
  const firsts = new Map(all.toReversed().map((option) => [option.flags, option]));
  return [...firsts.values()]
    .toReversed()
    .filter(({ flags }) => all.filter((each) => each.flags === flags).length > 1);
}

function commandEntry(shared: readonly OptionHelp[]) {
  const isShared = ({ flags }: OptionHelp) => shared.some((option) => option.flags === flags);
  return ({ name, description: meaning, options }: CommandHelp): readonly string[] => {
    const own = options.filter((option) => !isShared(option));
    const nested = own.length === 0 ? [] : ['.RS', ...own.flatMap(optionEntry), '.RE'];
    return [...entry(`.B ${text(name)}`, meaning), ...nested];
  };
}

function optionEntry({ flags, description: meaning }: OptionHelp): readonly string[] {
  return entry(`.B ${text(flags)}`, meaning);
}

function entry(term: string, meaning: string): readonly string[] {
  return ['.TP', term, text(meaning)];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return [`.SH ${/ /.test(title) ? `"${title}"` : title}`, ...lines];
}

/** Escapes text for roff, so that its hyphens can be copied and no line begins with a request. */
function text(words: string): string {
  return words.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^[.']/, '\\&$&');
}
