import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { addSetupCommands, rootOption, type SetupCommands } from './cli-setup.ts';
import type { CommandLineSetting } from './config/load.ts';
import { readYaml } from './config/yaml.ts';
import { NodeError } from './core/errors.ts';

/** What the command line says, the same for every command that reads the settings. */
export interface CommonOptions {
  readonly root: string;
  readonly config: string | undefined;
  readonly facts: string | undefined;
  readonly settings: readonly CommandLineSetting[];
}

export interface PlanOptions extends CommonOptions {
  readonly output: 'table' | 'json';
  /** A file in the place of /etc/slipway/config.yaml; only what would change because of it is shown. */
  readonly against: string | undefined;
}

export interface DoctorOptions extends CommonOptions {
  readonly output: 'table' | 'json';
}

export interface StatusOptions extends CommonOptions {
  readonly output: 'table' | 'json' | 'yaml';
  /** Shows it again when it changes, until it is interrupted. */
  readonly watch: boolean;
}

/** The commands. Each resolves to the exit code. */
export interface Commands extends SetupCommands {
  run(options: CommonOptions): Promise<number>;
  plan(options: PlanOptions): Promise<number>;
  apply(options: CommonOptions & { readonly timeout: number }): Promise<number>;
  status(options: StatusOptions): Promise<number>;
  doctor(options: DoctorOptions): Promise<number>;
  config(options: CommonOptions & { readonly output: 'table' | 'json' }): Promise<number>;
  version(): Promise<number>;
  stamp(options: CommonOptions): Promise<number>;
}

export interface CliOutput {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

/** The options that stand for a setting, by the setting's path. */
const shorthands = { cloud: 'cloud', role: 'role', server: 'k3s.server', logLevel: 'log.level' } as const;

/** Reads the arguments (without node and script), runs the command, and resolves to its exit code. */
export async function cli(args: readonly string[], commands: Commands, output: CliOutput): Promise<number> {
  let exitCode = 0;
  const finish = (code: number) => {
    exitCode = code;
  };
  const program = buildProgram(commands, finish, output);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 1;
    throw thrown;
  }
  return exitCode;
}

/** The command line, as a tree of commands; `finish` gets the exit code of the one that ran. */
export function buildProgram(
  commands: Commands,
  finish: (code: number) => void,
  { out, error }: CliOutput,
): Command {
  const program = new Command('slipway')
    .description('Turns a cloud VM into the K3s node its instance tags ask for, and keeps it that way.')
    .showHelpAfterError('(slipway --help lists the commands)')
    .configureOutput({ writeOut: out, writeErr: error })
    .exitOverride();
  const command = (name: string, description: string) =>
    common(program.command(name).description(description));

  command('run', 'Run the daemon: converge, then correct drift for as long as the VM lives.')
    .option('--dry-run', 'print what would change, and change nothing (the same as plan)')
    .action(async (options) => {
      const given = commonOf(options);
      const plan = { ...given, output: 'table', against: undefined } as const;
      finish(await (options.dryRun ? commands.plan(plan) : commands.run(given)));
    });
  command('plan', 'Print what would change, and change nothing. Exit 0: nothing, 2: something, 1: an error.')
    .addOption(outputOption())
    .option('--against <file>', 'show only what another configuration in place of config.yaml would change')
    .action(async (options) => {
      const against = options.against === undefined ? undefined : resolve(options.against);
      finish(await commands.plan({ ...commonOf(options), output: options.output, against }));
    });
  command('apply', 'Converge once, then exit. Exit 0: the node is Ready, 1: it is not.')
    .addOption(
      new Option('--timeout <minutes>', 'how long to try').default(15 * 60_000, '15').argParser(minutes),
    )
    .action(async (options) =>
      finish(await commands.apply({ ...commonOf(options), timeout: options.timeout })),
    );
  command(
    'status',
    'Show how this node is, and what it waits for. Exit 0: Ready, 1: not Ready, 3: the daemon is not running.',
  )
    .addOption(outputOption('yaml'))
    .option('-w, --watch', 'show it again when it changes, until interrupted')
    .action(async (options) =>
      finish(
        await commands.status({
          ...commonOf(options),
          output: options.output,
          watch: options.watch === true,
        }),
      ),
    );
  command(
    'doctor',
    'Look at machine, network, cloud and node, and change nothing. Exit 0: nothing failed, 1: something did.',
  )
    .addOption(outputOption())
    .action(async (options) =>
      finish(await commands.doctor({ ...commonOf(options), output: options.output })),
    );
  command('config', 'Show the merged settings, and where each value came from.')
    .addOption(outputOption())
    .action(async (options) =>
      finish(await commands.config({ ...commonOf(options), output: options.output })),
    );
  addSetupCommands(program, commands, finish);
  program
    .command('version')
    .description('Show the version.')
    .action(async () => finish(await commands.version()));
  common(
    program.command('stamp', { hidden: true }).description('Note what K3s starts with (called by its unit).'),
  ).action(async (options) => finish(await commands.stamp(commonOf(options))));
  return program;
}

function common(command: Command): Command {
  return command
    .addOption(rootOption())
    .option('--config <file>', 'read this file in place of /etc/slipway/config.yaml')
    .option('--cloud <name>', 'azure, or static: everything from the settings')
    .option('--facts <file>', 'for the static cloud: a YAML file of what a cloud would say of this VM')
    .option('--role <role>', 'server, agent or observability, whatever the tag says')
    .option('--server <address>', 'the server an agent joins')
    .option('--log-level <level>', 'debug, info, warn or error')
    .addOption(
      new Option('--set <path=value>', 'set one setting, e.g. --set k3s.upgrade=auto; may be repeated')
        .default([])
        .argParser((text: string, before: readonly CommandLineSetting[]) => [...before, assignment(text)]),
    );
}

function outputOption(...more: readonly string[]): Option {
  const formats = ['table', 'json', ...more];
  return new Option('-o, --output <format>', 'how to print it').choices(formats).default('table');
}

interface ParsedOptions {
  readonly root: string;
  readonly config?: string;
  readonly facts?: string;
  readonly set: readonly CommandLineSetting[];
  readonly cloud?: string;
  readonly role?: string;
  readonly server?: string;
  readonly logLevel?: string;
}

function commonOf(options: ParsedOptions): CommonOptions {
  const short = Object.entries(shorthands).flatMap(([name, path]) => {
    const value = options[name as keyof typeof shorthands];
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === undefined ? [] : [{ option, path, value }];
  });
  const { config, facts, set } = options;
  const at = (path: string | undefined) => path && resolve(path);
  // Written files name these places, so they must be the same from everywhere.
  return { root: resolve(options.root), config: at(config), facts: at(facts), settings: [...set, ...short] };
}

/** The value is YAML, as it would stand in a settings file. Not commander's own error, which quotes what was written. */
function assignment(text: string): CommandLineSetting {
  const at = text.indexOf('=');
  if (at < 1) throw invalid('--set', 'takes path=value, such as --set k3s.upgrade=auto');
  const path = text.slice(0, at);
  const option = `--set ${path}`;
  const { value, faults } = readYaml(text.slice(at + 1));
  if (faults.length > 0) throw invalid(option, `its value is no YAML: ${faults.join('; ')}`);
  return { option, path, value };
}

function invalid(option: string, problem: string): NodeError {
  return new NodeError('InvalidSettings', `command line ${option}: ${problem}. See slipway --help.`);
}

function minutes(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It takes a number of minutes above zero.');
  return value * 60_000;
}
