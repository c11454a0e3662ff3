import { type CommandHelp, commandLine, type OptionHelp } from './command-line.ts';

/** Functions that generate the completion script of each shell from the definitions that parse the command line. */
export const completions = { bash, zsh, fish };

function bash(): string {
  const commands = commandLine();
  const options = commands.flatMap((command) => command.options);
  return `# Completes slipway in bash.
_slipway() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] || { command=$word; break; }
  done
  case $previous in
${distinct(options.filter(takesArgument).map((option) => `    ${option.names.join(' | ')}) ${bashArgument(option)}; return ;;`))}
  esac
  local words=
  case $command in
    '') words='${commands.map(({ name }) => name).join(' ')} --help' ;;
${commands.map(({ name, options: own }) => `    ${name}) words='${[...own.flatMap(({ names }) => names), '--help'].join(' ')}' ;;`).join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _slipway slipway
`;
}

function bashArgument({ argument, choices }: OptionHelp): string {
  const reply = (action: string) => `mapfile -t COMPREPLY < <(compgen ${action} -- "$current")`;
  // compopt, which escapes blanks in names, fails outside a completion.
  const names = 'compopt -o filenames 2>/dev/null; ';
  if (choices.length > 0) {
    return reply(`-W '${choices.join(' ')}'`);
  }
  if (argument === 'file') {
    return names + reply('-f');
  }
  return argument === 'dir' ? names + reply('-d') : 'COMPREPLY=()';
}

function zsh(): string {
  const commands = commandLine();
  return `#compdef slipway
# Completes slipway in zsh.
_slipway() {
  local state line
  local -a commands
  commands=(
${commands.map(({ name, description }) => `    ${quoted(`${name}:${description}`)}`).join('\n')}
  )
  _arguments -C '1: :->command' '*:: :->option'
  case $state in
    command) _describe command commands ;;
    option)
      case $words[1] in
${commands.map(zshCommand).join('\n')}
      esac ;;
  esac
}
_slipway "$@"
`;
}

function zshCommand({ name, options }: CommandHelp): string {
  const help = quoted('--help[show help]');
  return `        ${name}) _arguments ${[...options.flatMap(zshOption), help].join(' ')} ;;`;
}

function zshOption({ names, argument, choices, description }: OptionHelp): readonly string[] {
  const meaning = description.replace(/[[\]:\\]/g, '\\$&');
  const takes = { file: ':file:_files', dir: ':directory:_directories' }[argument ?? ''] ?? `:${argument}: `;
  const value = choices.length > 0 ? `:${argument}:(${choices.join(' ')})` : argument ? takes : '';
  return names.map((name) => quoted(`${name}[${meaning}]${value}`));
}

function fish(): string {
  const commands = commandLine();
  return `# Completes slipway in fish.
complete -c slipway -f
${commands.map(({ name, description }) => `complete -c slipway -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`).join('\n')}
${commands.flatMap(({ name, options }) => options.map((option) => fishOption(name, option))).join('\n')}
`;
}

function fishOption(command: string, option: OptionHelp): string {
  const names = option.names.map((name) => name.replace(/^--/, '-l ').replace(/^-(?=\w$)/, '-s '));
  const value =
    option.choices.length > 0 ? ` -x -a ${quoted(option.choices.join(' '))}` : fishArgument(option);
  const condition = quoted(`__fish_seen_subcommand_from ${command}`);
  return `complete -c slipway -n ${condition} ${names.join(' ')}${value} -d ${quoted(option.description)}`;
}

function fishArgument({ argument }: OptionHelp): string {
  if (argument === undefined) {
    return '';
  }
  if (argument === 'file') {
    return ' -r -F';
  }
  return argument === 'dir' ? " -x -a '(__fish_complete_directories)'" : ' -x';
}

function takesArgument({ argument }: OptionHelp): boolean {
  return argument !== undefined;
}

function distinct(lines: readonly string[]): string {
  return [...new Set(lines)].join('\n');
}

/**
 * Returns the word in single quotes. Replaces each single quote inside the word with a typographic apostrophe, because
 * fish and sh escape quotes differently.
 */
function quoted(word: string): string {
  return `'${word.replaceAll("'", '’')}'`;
}
