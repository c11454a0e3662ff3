import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../integration/host/folder.ts';

/** Returns the URL of a file in src, which a script in another process can import. */
export function source(name: string): string {
  return new URL(`../../src/${name}`, import.meta.url).href;
}

/** Creates the root directory of a machine with these settings, and returns its path. */
export async function rootWith(settings: object): Promise<string> {
  const root = await temporaryFolder();
  await mkdir(`${root}/etc/slipway`, { recursive: true });
  await writeFile(`${root}/etc/slipway/config.yaml`, JSON.stringify(settings));
  return root;
}

/** Starts `slipway` from its sources and kills it when the test ends. */
export function startSlipway(
  args: readonly string[],
  stdio: StdioOptions,
  variables: Readonly<Record<string, string>> = {},
): ChildProcess {
  const argv = `process.argv.splice(1, 1, 'slipway', ...${JSON.stringify(args)});`;
  return startScript(
    `${argv} await import(${JSON.stringify(source('launcher/launch.ts'))});`,
    stdio,
    variables,
  );
}

/** Starts a script with only PATH, HOME and these variables in its environment; kills it when the test ends. */
export function startScript(
  script: string,
  stdio: StdioOptions,
  variables: Readonly<Record<string, string>> = {},
): ChildProcess {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...variables };
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio, env });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Waits for the end of a process, and returns its exit code and outputs; an output without a pipe is empty. */
export async function endOf(child: ChildProcess) {
  const [stdout, stderr, [code]] = await Promise.all([
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}
