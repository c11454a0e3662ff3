import { resolve } from 'node:path';
import { Option } from 'commander';
import { NodeError } from '../agent/engine/errors.ts';
import { forPerson } from '../agent/engine/severity.ts';
import { nearest } from '../agent/settings/nearest.ts';

/**
 * Returns the `InvalidSettings` error for an unusable command line. `what` is the option or the word at fault.
 * `problem` states the fault and its repair, and must not quote a value, which may be a secret.
 */
export function misused(what: string, problem: string): NodeError {
  return new NodeError('InvalidSettings', `command line ${what}: ${problem}`, forPerson);
}

/**
 * Makes an option for a path. Rejects an empty value, and resolves any other value to an absolute path, because files
 * that Slipway writes may contain the path.
 */
export function pathOption(flags: string, description: string): Option {
  const option = new Option(flags, description);
  return option.argParser((text: string) => {
    if (text === '') {
      throw misused(`${option.long}`, `is empty; write ${flags}, or leave it out.`);
    }
    return resolve(text);
  });
}

export function rootOption(): Option {
  return pathOption('--root <dir>', 'place every path below this directory').default('/');
}

export function outputOption(...more: readonly string[]): Option {
  const formats = ['table', 'json', ...more];
  const choice = `${formats.slice(0, -1).join(', ')} or ${formats.at(-1)}`;
  return new Option('-o, --output <format>', 'how to print it')
    .choices(formats)
    .default('table')
    .argParser((text: string) => {
      if (formats.includes(text)) {
        return text;
      }
      const meant = nearest(text, formats);
      throw misused('--output', `must be ${choice}${meant ? `; did you mean ${meant}?` : '.'}`);
    });
}

/** Makes an option for a number of minutes above zero. The parsed value is in milliseconds. */
export function minutesOption(flags: string, description: string, usual: number): Option {
  const option = new Option(flags, description).default(usual * 60_000, `${usual}`);
  return option.argParser((text: string) => {
    const value = Number(text);
    if (value > 0) {
      return value * 60_000;
    }
    throw misused(`${option.long}`, `must be a number of minutes above zero, such as ${usual}.`);
  });
}
