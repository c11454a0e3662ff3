import { type Command, Option } from 'commander';
import { type Clouds, clouds } from '../agent/clouds/index.ts';
import type { CommandLineSetting } from '../agent/settings/load.ts';
import { readYaml } from '../agent/settings/yaml.ts';
import { namesOf, roles } from '../roles/index.ts';
import type { Role } from '../roles/role.ts';
import { misused, pathOption, rootOption } from './cli-forms.ts';

/** The options of every command that reads the settings. */
export interface CommonOptions {
  readonly root: string;
  readonly config: string | undefined;
  readonly facts: string | undefined;
  readonly settings: readonly CommandLineSetting[];
}

/** The shorthand options, and the path of the setting that each one sets. */
const shorthands = { cloud: 'cloud', role: 'role', server: 'k3s.server', logLevel: 'log.level' } as const;

/** Adds the options of every command that reads the settings. */
export function common(command: Command): Command {
  return settingsOptions(command).option('--server <address>', 'the server an agent joins');
}

/** Adds the options of `common` except `--server`, for a command that gives this option another meaning. */
export function settingsOptions(command: Command): Command {
  return command
    .addOption(rootOption())
    .addOption(pathOption('--config <file>', 'read this file in place of /etc/slipway/config.yaml'))
    .option('--cloud <name>', cloudHelp())
    .addOption(
      pathOption('--facts <file>', 'for the static cloud: a YAML file of what a cloud would know of this VM'),
    )
    .option('--role <role>', roleHelp())
    .option('--log-level <level>', 'debug, info, warn or error')
    .addOption(
      new Option('--set <path=value>', 'set one setting, e.g. --set k3s.upgrade=auto; may be repeated')
        .default([])
        .argParser((text: string, before: readonly CommandLineSetting[]) => [...before, assignment(text)]),
    );
}

/** Returns the names of the roles, for the help of `--role`. */
export function roleHelp(among: readonly Role[] = roles): string {
  const names = namesOf(among);
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}, whatever the tag says`;
}

/** Returns the names of the clouds, with their remarks, for the help of `--cloud`. */
export function cloudHelp(table: Clouds = clouds): string {
  const names = Object.entries(table).map(([name, { remark }]) => (remark ? `${name}: ${remark}` : name));
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter(Boolean).join(', or ');
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

/** Returns the values of the options that `common` adds; shorthands such as `--role` become settings. */
export function commonOf(options: ParsedOptions): CommonOptions {
  const short = Object.entries(shorthands).flatMap(([name, path]) => {
    const value = options[name as keyof typeof shorthands];
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === undefined ? [] : [{ option, path, value }];
  });
  const { root, config, facts, set } = options;
  return { root, config, facts, settings: [...set, ...short] };
}

/**
 * Parses `path=value`; the value is YAML, as in a settings file. Throws `InvalidSettings` for any other text, since
 * commander's own error would quote the value.
 */
function assignment(text: string): CommandLineSetting {
  const at = text.indexOf('=');
  if (at < 1) {
    throw misused('--set', 'takes path=value, such as --set k3s.upgrade=auto.');
  }
  const path = text.slice(0, at);
  const option = `--set ${path}`;
  const { value, faults } = readYaml(text.slice(at + 1));
  if (faults.length > 0) {
    throw misused(option, `its value is not YAML: ${faults.join('; ')}`);
  }
  return { option, path, value };
}
