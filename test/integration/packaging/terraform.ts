import { spawnSync } from 'node:child_process';

/** True if this machine has no terraform. */
export const terraformMissing = spawnSync('terraform', ['version']).error !== undefined;

/** Runs terraform without the user's configuration and without its check for updates; returns exit code and stdout. */
export function terraform(args: readonly string[], input = '') {
  const env = { PATH: process.env.PATH, TF_CLI_CONFIG_FILE: '/dev/null', CHECKPOINT_DISABLE: '1' };
  const { status, stdout } = spawnSync('terraform', args, { env, input, encoding: 'utf8' });
  return { status, stdout };
}
