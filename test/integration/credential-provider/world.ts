import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import { inject, type onTestFinished } from 'vitest';
import { type Logins, parseLogins } from '../../../src/agent/parts/registry/answer/logins.ts';
import { renderLogins } from '../../../src/agent/parts/registry/login-store.ts';
import { nodePaths } from '../../../src/agent/paths.ts';
import { type Azure, startAzure } from '../../lab/azure/index.ts';
import { temporaryFolder } from '../host/folder.ts';

export const loginServer = 'team.azurecr.io';
export const otherServer = 'other.azurecr.io';

/** The path of the Node that releases contain, which need not be the Node that runs the tests. */
export const node = resolve('node_modules/.bin/node');

/** Starts an emulated Azure with a VM whose identity may pull from two registries. */
export async function startRegistries(): Promise<Azure> {
  const azure = await startAzure({ nodes: { vm: {} }, registries: [loginServer, otherServer] });
  for (const server of [loginServer, otherServer]) {
    azure.setRole('vm', 'AcrPull', server);
  }
  return azure;
}

/** Returns a request for this image as kubelet writes it, with `changes` to the request's fields. */
export function requestFor(image: string, changes: object = {}): string {
  const apiVersion = 'credentialprovider.kubelet.k8s.io/v1';
  return `${JSON.stringify({ kind: 'CredentialProviderRequest', apiVersion, image, ...changes })}\n`;
}

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A node below a separate folder, with the files that its daemon would write for the credential provider. */
export class ProviderNode {
  readonly root: string;
  readonly paths: ReturnType<typeof nodePaths>['slipway'];

  constructor(root: string) {
    this.root = root;
    this.paths = nodePaths(root).slipway;
  }

  /** Runs the credential provider as kubelet does; returns its exit code and outputs. */
  provide(script: string, request = requestFor(`${loginServer}/base:1`)): Promise<Ended> {
    return run([node, script, 'credential-provider', '--root', this.root], request);
  }

  get stored(): Logins {
    return parseLogins(readFileSync(this.paths.logins, 'utf8'));
  }

  store(logins: Logins): void {
    this.write(this.paths.logins, renderLogins(logins).reveal());
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode: 0o600 });
  }
}

/**
 * Creates a node whose credential provider has settings for this emulated Azure, overridden by `settings`. The node's
 * folder is removed when the test ends.
 */
export async function nodeWithSettings(
  azure: Azure,
  settings?: object,
  whenFinished?: typeof onTestFinished,
): Promise<ProviderNode> {
  const found = new ProviderNode(await temporaryFolder(whenFinished));
  found.write(found.paths.providerSettings, JSON.stringify({ ...settingsFor(azure), ...settings }));
  return found;
}

function settingsFor(azure: Azure) {
  return {
    cloud: 'azure',
    network: { proxy: azure.proxyUrl, caFile: azure.caFile },
    azure: { imdsEndpoint: azure.imdsUrl('vm') },
    registries: { servers: [loginServer, otherServer] },
  };
}

/** Runs a command with only this environment and `input` on stdin; returns its exit code and outputs. */
export function run(
  [file, ...args]: readonly [string, ...string[]],
  input: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawn(file, args, { env, stdio: 'pipe' });
  // Ignores EPIPE, since a command that rejects its input early does not read all of its stdin.
  child.stdin.on('error', () => {}).end(input);
  return endOf(child);
}

/** Waits for the end of a child and of its outputs; returns its exit code and outputs. */
export async function endOf(child: ChildProcess): Promise<Ended> {
  const outputs = [child.stdout, child.stderr].map((stream) => (stream ? text(stream) : ''));
  const [[stdout = '', stderr = '']] = await Promise.all([Promise.all(outputs), once(child, 'close')]);
  return { exitCode: child.exitCode, stdout, stderr };
}

/**
 * Bundles the launcher and the program as one script, because ten processes that read the sources would take half a
 * minute; resolves to the path of the script.
 */
export function bundleLauncher(folder: string): Promise<string> {
  return scriptThat('launch()', join(folder, 'launch.cjs'));
}

/**
 * Bundles the command of the credential provider with this deadline in milliseconds; returns the path of the script.
 */
export function bundleWithDeadline(folder: string, deadline: number): Promise<string> {
  return scriptThat(`answer(${deadline})`, join(folder, `${deadline}.cjs`));
}

/**
 * Writes a script that calls the bundle with a compile cache, because compiling takes half of the start time; resolves
 * to the path of the script.
 */
async function scriptThat(call: string, outfile: string): Promise<string> {
  const [bundled, cache] = [await bundledProgram(), join(inject('bundles'), 'compile-cache')];
  writeFileSync(
    outfile,
    `require('node:module').enableCompileCache(${JSON.stringify(cache)});\nrequire(${JSON.stringify(bundled)}).${call};\n`,
  );
  return outfile;
}

/**
 * Bundles the program once per test run (more often if workers start at the same time); resolves to the path of the
 * bundle.
 */
async function bundledProgram(): Promise<string> {
  const outfile = join(inject('bundles'), 'program.cjs');
  if (existsSync(outfile)) {
    return outfile;
  }
  const unfinished = `${outfile}.${process.pid}`;
  await build({
    stdin: { contents: entry, resolveDir: '.' },
    outfile: unfinished,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    supported: { 'dynamic-import': false },
    // As in esbuild.config.mjs, hides FormData from the SDKs; otherwise, they would make Node load all of fetch.
    define: { 'import.meta.url': '"file:///slipway"', FormData: 'undefined' },
    logLevel: 'error',
  });
  renameSync(unfinished, outfile);
  return outfile;
}

const entry = `
  exports.launch = () => require('./src/launcher/launch.ts');
  exports.answer = (deadline) => {
    const { answerKubelet } = require('./src/launcher/answer-kubelet.ts');
    void answerKubelet(process.argv.slice(3), () => import('./src/commands/main.ts'), deadline).then(process.exit);
  };`;

/** Counts the requests to the emulated Azure for Entra tokens and for registry passwords. */
export function askedFor(azure: Azure): { readonly tokens: number; readonly passwords: number } {
  const count = (path: string) => azure.requests.filter((each) => each.path.startsWith(path)).length;
  return { tokens: count('/metadata/identity/oauth2/token'), passwords: count('/oauth2/exchange') };
}

/** Returns the only line on stderr of a command that exited with 1 and printed nothing on stdout; throws otherwise. */
export function refusal({ exitCode, stdout, stderr }: Ended): string {
  const lines = stderr.split('\n');
  if (exitCode === 1 && stdout === '' && lines.length === 2 && lines[1] === '') {
    return lines[0] ?? '';
  }
  throw new Error(`no clean refusal: ${JSON.stringify({ exitCode, stdout, stderr })}`);
}
