/**
 * A stand-in for the flux CLI 2.9.4. A lab bundles it into one file named `flux`.
 *
 * Models, with the source (paths are in fluxcd/flux2 unless stated otherwise):
 * - flags and their types; unknown flags are refused (cmd/flux/*.go; spf13/pflag): flux-flags.ts
 * - errors go to stderr after `✗ `; the exit code is 1 (cmd/flux/main.go)
 * - the token comes from the provider's environment variable, such as GITHUB_TOKEN, otherwise from stdin; a stdin
 *   without a line is an error; `bootstrap git` also takes --password, and reads stdin only with --token-auth
 *   (cmd/flux/bootstrap_*.go, readPasswordFromStdin)
 * - without HOME, flux exits with an error, because go-git searches for the user's Git configuration (go-git
 *   config.Paths)
 * - the steps and their order, and what a second run does or refuses (pkg/bootstrap): flux-model.ts, flux-secret.ts
 * - the health checks with their time limits (pkg/bootstrap, Report*Health; pkg/status): flux-health.ts
 * - the status that the controllers set, as seen with a real Flux: flux-status.ts
 *
 * Not modelled: a real clone or push, real keys, signing, the time that steps take. The controllers do their work at
 * once; an object that is suspended, or that a test made fail, keeps its status. The stand-in stores objects in the
 * folder of the K3s stand-in that the kubeconfig's extension `slipway-lab` names.
 */
import { readFileSync } from 'node:fs';
import { openCluster, readIfThere } from './flux-cluster.ts';
import { commands, type Parsed, parse } from './flux-flags.ts';
import { bootstrap, componentsOf } from './flux-model.ts';
import { version } from './flux-objects.ts';

const tokenPrompts = {
  'bootstrap github': ['GITHUB_TOKEN', 'Please enter your GitHub personal access token (PAT): '],
  'bootstrap gitlab': ['GITLAB_TOKEN', 'Please enter your GitLab personal access token (PAT): '],
  'bootstrap gitea': ['GITEA_TOKEN', 'Please enter your Gitea personal access token (PAT): '],
  'bootstrap bitbucket-server': [
    'BITBUCKET_TOKEN',
    'Please enter your Bitbucket personal access token (PAT): ',
  ],
  'bootstrap git': ['GIT_PASSWORD', 'Please enter your Git repository password: '],
} as const;

main(process.argv.slice(2)).catch((thrown) => {
  say('✗', thrown instanceof Error ? thrown.message : String(thrown));
  process.exitCode = 1;
});

async function main(args: readonly string[]): Promise<void> {
  const flags = parse(args);
  if (flags.on('help')) {
    return help(flags.command);
  }
  switch (flags.command) {
    case 'bootstrap github':
    case 'bootstrap gitlab':
    case 'bootstrap gitea':
    case 'bootstrap bitbucket-server':
    case 'bootstrap git':
      return runBootstrap(flags, flags.command);
    case 'check':
      return check(flags);
    case '':
      if (flags.on('version')) {
        return print(`flux version ${version}`);
      }
      return help('');
    default:
      return help(flags.command);
  }
}

async function runBootstrap(flags: Parsed, command: keyof typeof tokenPrompts): Promise<void> {
  const token = tokenOf(flags, command);
  if (command === 'bootstrap bitbucket-server' && flags.text('hostname') === '') {
    throw new Error('invalid hostname ""');
  }
  componentsOf(flags);
  if (flags.on('token-auth') && flags.on('deploy-token-auth')) {
    throw new Error('--token-auth and --deploy-token-auth cannot be set both.');
  }
  const cluster = await openCluster(kubeconfigOf(flags));
  if (!process.env.HOME) {
    throw new Error('$HOME is not defined');
  }
  await bootstrap(flags, cluster, { token, ca: caOf(flags) }, say);
}

function caOf(flags: Parsed): string | undefined {
  const path = flags.text('ca-file');
  const ca = path === '' ? undefined : readIfThere(path);
  if (path !== '' && ca === undefined) {
    throw new Error(`unable to read TLS CA file: open ${path}: no such file or directory`);
  }
  return ca;
}

function tokenOf(flags: Parsed, command: keyof typeof tokenPrompts): string {
  const [variable, prompt] = tokenPrompts[command];
  const given = process.env[variable] || (command === 'bootstrap git' ? flags.text('password') : '');
  if (given) {
    return given;
  }
  if (command === 'bootstrap git' && !flags.on('token-auth')) {
    return '';
  }
  process.stdout.write(prompt);
  const [line, ...rest] = readStdin().split('\n');
  if (rest.length === 0) {
    throw new Error('could not read token: could not read from stdin: EOF');
  }
  return line ?? '';
}

function readStdin(): string {
  try {
    return readFileSync(0, 'utf8');
  } catch {
    return '';
  }
}

function kubeconfigOf(flags: Parsed): string {
  return flags.text('kubeconfig') || process.env.KUBECONFIG || `${process.env.HOME}/.kube/config`;
}

/**
 * Performs the part of `flux check` that needs only the API; rejects if a controller is missing (cmd/flux/check.go).
 */
async function check(flags: Parsed): Promise<void> {
  const cluster = await openCluster(kubeconfigOf(flags));
  say('►', 'checking prerequisites');
  if (flags.on('pre')) {
    return say('✔', 'prerequisites checks passed');
  }
  const missing = componentsOf(flags).filter(
    (name) => cluster.get('deployments.apps', 'flux-system', name) === undefined,
  );
  for (const name of missing) {
    say('✗', `${name}: deployment not found`);
  }
  if (missing.length > 0) {
    throw new Error('checks failed');
  }
  say('✔', 'all checks passed');
}

function help(command: string): void {
  const flags = Object.entries(commands[command] ?? {});
  print(`Usage:\n  flux ${command} [flags]\n\nFlags:`);
  for (const [name, type] of flags) {
    print(`      --${name} ${type === 'bool' ? '' : type}`.trimEnd());
  }
}

function say(mark: string, text: string): void {
  process.stderr.write(`${mark} ${text}\n`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
