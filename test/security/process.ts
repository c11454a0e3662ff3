import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../integration/host/folder.ts';

/** The URL of a source file, for an import in another process. */
export function source(name: string): string {
  return new URL(`../../src/${name}`, import.meta.url).href;
}

/** A folder with these settings as the settings of a machine. */
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

/** Starts a script with only the given environment and a PATH. */
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

/** The exit code of a process and the text on its piped outputs. */
export async function endOf(child: ChildProcess) {
  const [stdout, stderr, [code]] = await Promise.all([
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}
