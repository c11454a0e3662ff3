import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { type CommonOptions, common, commonOf } from './cli-common.ts';
import { addSetupCommands, type SetupCommands } from './cli-setup.ts';

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

function outputOption(...more: readonly string[]): Option {
  const formats = ['table', 'json', ...more];
  return new Option('-o, --output <format>', 'how to print it').choices(formats).default('table');
}

function minutes(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It takes a number of minutes above zero.');
  return value * 60_000;
}
