import { Command, CommanderError } from 'commander';
import { type AccessCommands, addAccessCommands } from './cli-access.ts';
import { addBackupCommands, type BackupCommands } from './cli-backup.ts';
import { type CommonOptions, common, commonOf } from './cli-common.ts';
import { minutesOption, outputOption, pathOption, rootOption } from './cli-forms.ts';
import { addMaintenanceCommands, type MaintenanceCommands } from './cli-maintenance.ts';
import { misuse } from './cli-misuse.ts';
import { addNodeCommands, type NodeCommands } from './cli-nodes.ts';
import { addSetupCommands, type SetupCommands } from './cli-setup.ts';

export interface PlanOptions extends CommonOptions {
  readonly output: 'table' | 'json';
  /**
   * A file to plan with instead of /etc/slipway/config.yaml; the plan shows only the changes that the file would cause.
   */
  readonly against: string | undefined;
}

export interface DoctorOptions extends CommonOptions {
  readonly output: 'table' | 'json';
}

export interface ApplyOptions extends CommonOptions {
  readonly timeout: number;
  /** True to interrupt the node now, without waiting for a window or a turn. */
  readonly restart: boolean;
}

export interface StatusOptions {
  readonly root: string;
  readonly output: 'table' | 'json' | 'yaml';
  /** True to print the status again after each change, until the command is interrupted. */
  readonly watch: boolean;
}

/** The implementations of the commands. Each resolves to the exit code. */
export interface Commands
  extends SetupCommands,
    MaintenanceCommands,
    NodeCommands,
    AccessCommands,
    BackupCommands {
  /** Rejects an unusable root; called before every command that takes `--root`. */
  enter(root: string): Promise<void>;
  run(options: CommonOptions): Promise<number>;
  plan(options: PlanOptions): Promise<number>;
  apply(options: ApplyOptions): Promise<number>;
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

/**
 * Parses the arguments (without node and script), runs the command, and resolves to its exit code. Without arguments,
 * prints the help as an error and resolves to 1. Rejects with `InvalidSettings` for unusable arguments, and with the
 * errors of the command.
 */
export async function cli(args: readonly string[], commands: Commands, output: CliOutput): Promise<number> {
  let exitCode = 0;
  const finish = (code: number) => {
    exitCode = code;
  };
  const program = buildProgram(commands, finish, output.out);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) {
      throw thrown;
    }
    if (thrown.exitCode === 0) {
      return 0;
    }
    if (args.length > 0) {
      throw misuse(thrown, program, args);
    }
    output.error(program.helpInformation());
    return 1;
  }
  return exitCode;
}

/** The setting that `apply --restart` sets. */
const consentToRestart = {
  option: '--restart',
  path: 'consent.restart',
  value: ['k3s.service', 'k3s-agent.service'],
} as const;

/** Builds the tree of commands. Each command passes its exit code to `finish` when it has ended. */
export function buildProgram(
  commands: Commands,
  finish: (code: number) => void,
  out: CliOutput['out'],
): Command {
  const program = new Command('slipway')
    .description('Turns a cloud VM into the K3s node its instance tags ask for, and keeps it that way.')
    .configureOutput({ writeOut: out, writeErr: () => {} })
    .exitOverride()
    .hook('preAction', async (_, command) => {
      const { root } = command.opts<{ readonly root?: string }>();
      if (root !== undefined) {
        await commands.enter(root);
      }
    });
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
    .addOption(
      pathOption(
        '--against <file>',
        'show only what another configuration in place of config.yaml would change',
      ),
    )
    .action(async (options) => {
      const { output, against } = options;
      finish(await commands.plan({ ...commonOf(options), output, against }));
    });
  command('apply', 'Converge once, then exit. Exit 0: the node is Ready, 1: it is not.')
    .addOption(minutesOption('--timeout <minutes>', 'how long to try', 15))
    .option(
      '--restart',
      'restart K3s now if it must be restarted, without waiting for a window or a turn',
      false,
    )
    .action(async (options) => {
      const given = commonOf(options);
      const settings = options.restart ? [...given.settings, consentToRestart] : given.settings;
      finish(
        await commands.apply({ ...given, settings, timeout: options.timeout, restart: options.restart }),
      );
    });
  program
    .command('status')
    .description(
      'Show the state of this node, and what it waits for. Exit 0: Ready, 1: not Ready, 3: the daemon is not running.',
    )
    .addOption(rootOption())
    .addOption(outputOption('yaml'))
    .option('-w, --watch', 'show it again when it changes, until interrupted', false)
    .action(async (options: StatusOptions) => finish(await commands.status(options)));
  command(
    'doctor',
    'Check machine, network, cloud and node, and change nothing. Exit 0: nothing failed, 1: something did.',
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
  addMaintenanceCommands(program, commands, finish);
  addNodeCommands(program, commands, finish);
  addBackupCommands(program, commands, finish);
  addAccessCommands(program, commands, finish);
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
