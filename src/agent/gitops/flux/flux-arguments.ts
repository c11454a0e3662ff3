import type { FluxSettings } from './settings.ts';

/**
 * The environment variables from which `flux bootstrap` reads the token, by provider (fluxcd/flux2
 * cmd/flux/bootstrap_*.go).
 */
export const tokenVariables = {
  github: 'GITHUB_TOKEN',
  gitlab: 'GITLAB_TOKEN',
  git: 'GIT_PASSWORD',
} as const satisfies Readonly<Record<FluxSettings['provider'], string>>;

/**
 * Returns the arguments of `flux bootstrap`, without the token. Flux gets half of the time limit, because it begins a
 * second period of this length for its controllers. With a CA file, which the settings of the network name, Flux's
 * controllers trust this CA too, not only the CLI.
 */
export function bootstrapArguments(
  settings: FluxSettings,
  kubeconfig: string,
  caFile?: string,
): readonly string[] {
  return [
    'bootstrap',
    settings.provider,
    flag('kubeconfig', kubeconfig),
    flag('timeout', goDuration(settings.timeout / 2)),
    ...optional('ca-file', caFile),
    ...repositoryFlags[settings.provider](settings),
    flag('branch', settings.branch),
    ...optional('path', settings.path),
    flag('interval', goDuration(settings.interval)),
    flag('token-auth', settings.tokenAuth),
    flag('components', settings.components.join(',')),
    ...optional('components-extra', settings.componentsExtra.join(',')),
  ];
}

const repositoryFlags = {
  github: (settings) => [...hosted(settings), flag('private', settings.private)],
  // For gitlab, flux reports --private as deprecated.
  gitlab: (settings) => [...hosted(settings), flag('visibility', settings.private ? 'private' : 'public')],
  // Without --silent, flux waits for a person to confirm the deploy key.
  git: (settings) => [
    // Flux uses --username, so the user name in a clone URL of Azure DevOps is omitted.
    ...optional('url', settings.url?.replace(/^https:\/\/[^/@]+@/, 'https://')),
    flag('username', settings.username),
    flag('silent', true),
  ],
} satisfies Record<FluxSettings['provider'], (settings: FluxSettings) => readonly string[]>;

function hosted(settings: FluxSettings): readonly string[] {
  return [
    ...optional('hostname', settings.hostname),
    ...optional('owner', settings.owner),
    ...optional('repository', settings.repository),
    flag('personal', settings.personal),
  ];
}

function optional(name: string, value: string | undefined): readonly string[] {
  return value ? [flag(name, value)] : [];
}

function flag(name: string, value: string | boolean): string {
  return `--${name}=${value}`;
}

/** Returns a duration in the form that Go's time.ParseDuration reads. */
function goDuration(milliseconds: number): string {
  const [minutes, seconds] = [milliseconds / 60_000, milliseconds / 1_000];
  if (Number.isInteger(minutes)) {
    return `${minutes}m`;
  }
  return Number.isInteger(seconds) ? `${seconds}s` : `${milliseconds}ms`;
}
