import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import type { Architecture } from './architecture.ts';

/** The arguments and input for one run of the executable, and the expected result. */
interface Check {
  readonly args: readonly string[];
  readonly input?: string;
  readonly exitCode: number;
  /** A pattern of stdout and stderr together. */
  readonly output: RegExp;
}

/**
 * Throws an Error unless the executable works as Slipway: a failed injection reports no error and leaves plain Node.
 * `command` is the command that runs the executable here, on its own or in an emulator; `root` is a folder that this
 * function empties and uses as the root of a new machine.
 */
export function verifyExecutable(
  architecture: Architecture,
  command: readonly [string, ...string[]],
  root: string,
): void {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  for (const check of checksFor(architecture, root)) {
    const found = answer(command, check);
    if (found.exitCode !== check.exitCode || !check.output.test(found.output)) {
      throw new Error(
        `${command.at(-1)} does not work as Slipway: ${check.args[0]} ended with ${found.exitCode} instead of ${check.exitCode}, and printed:\n${found.output}`,
      );
    }
  }
}

function checksFor(architecture: Architecture, root: string): readonly Check[] {
  // Sets an address, because the build machine may have none.
  const machine = ['--root', root, '--cloud', 'static', '--set', 'static.address=10.0.1.5'];
  const agent = ['--role', 'observability', '--server', '10.0.1.4'];
  const release = { x64: /\/k3s$/m, arm64: /\/k3s-arm64$/m } satisfies Record<Architecture, RegExp>;
  return [
    { args: ['version'], exitCode: 0, output: new RegExp(`^slipway .*, ${architecture}\\)$`, 'm') },
    { args: ['config', ...machine, '--role', 'server'], exitCode: 0, output: /^role: server\b/m },
    { args: ['plan', ...machine, ...agent], exitCode: 2, output: release[architecture] },
    {
      args: ['credential-provider', '--root', root],
      input: '{}',
      exitCode: 1,
      output: /^slipway-credential-provider: .* not a CredentialProviderRequest/m,
    },
  ];
}

/** Runs the check with an empty environment, so that this machine's programs and settings do not affect the result. */
function answer([file, ...first]: readonly [string, ...string[]], { args, input = '' }: Check) {
  const { status, stdout, stderr, error } = spawnSync(file, [...first, ...args], {
    input,
    encoding: 'utf8',
    env: {},
  });
  if (error !== undefined) {
    throw error;
  }
  return { exitCode: status, output: `${stdout}${stderr}` };
}
