/** Describes the machine on which the measurements ran. Without this description, the figures mean nothing. */
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';

export type Machine = Readonly<
  Record<'processor' | 'cores' | 'memory' | 'kernel' | 'node' | 'tools', string>
>;

export function machine(): Machine {
  return {
    processor: cpus()[0]?.model ?? process.arch,
    cores: `${cpus().length}`,
    memory: `${Math.round(totalmem() / 1e9)} GB`,
    kernel: release(),
    node: process.versions.node,
    tools: ['curl', 'jq'].map(version).join(', '),
  };
}

function version(command: string): string {
  try {
    const said = execFileSync(command, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return said.split('\n')[0]?.replace(/ \(.*/, '') ?? command;
  } catch {
    return `no ${command}`;
  }
}
