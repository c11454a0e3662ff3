import { flag, optional } from './flux-flags.ts';

/** The settings that name a repository and its Git host. */
export interface Place {
  readonly owner?: string | undefined;
  readonly repository?: string | undefined;
  readonly hostname?: string | undefined;
  readonly url?: string | undefined;
  readonly username: string;
  readonly personal: boolean;
  readonly private: boolean;
}

/** The differences between the providers of `flux bootstrap` (fluxcd/flux2 cmd/flux/bootstrap_*.go). */
export interface FluxProvider {
  /** The environment variable from which flux reads the token. */
  readonly variable: string;
  /** The settings that the provider needs, and those that it does not accept. */
  readonly needs: readonly string[];
  readonly foreign: readonly string[];
  /** The provider's Git host if the settings name none; absent if the settings must name the host. */
  readonly host?: string;
  /** True if flux can add a deploy key to the Git host, so that Flux no longer needs the token after the bootstrap. */
  readonly addsKeys: boolean;
  /** True if a clone URL contains the owner as the settings name it. */
  readonly ownerInUrl: boolean;
  /** Returns the user name that flux stores with the token. */
  user(place: Place): string;
  /** Returns the flags that name the repository. */
  flags(place: Place): readonly string[];
}

/** Returns a provider whose API creates the repository and adds deploy keys. */
function hosted(variable: string, differences: Partial<FluxProvider> = {}): FluxProvider {
  return {
    variable,
    needs: ['owner', 'repository', 'path'],
    foreign: ['url'],
    addsKeys: true,
    ownerInUrl: true,
    user: () => 'git',
    flags: (place) => [...ownerFlags(place), flag('private', place.private)],
    ...differences,
  };
}

/** The providers, by their names in `gitops.flux.provider`. */
export const fluxProviders = {
  github: hosted('GITHUB_TOKEN', { host: 'github.com' }),
  gitlab: hosted('GITLAB_TOKEN', { host: 'gitlab.com', flags: gitlabFlags }),
  gitea: hosted('GITEA_TOKEN', { host: 'gitea.com' }),
  // A clone URL contains the key of the project; flux and the settings use the project's name.
  'bitbucket-server': hosted('BITBUCKET_TOKEN', {
    needs: ['hostname', 'owner', 'repository', 'path'],
    ownerInUrl: false,
    user: ({ personal, owner, username }) => (personal ? (owner ?? username) : username),
    flags: (place) => [
      ...ownerFlags(place),
      flag('username', place.username),
      flag('private', place.private),
    ],
  }),
  git: {
    variable: 'GIT_PASSWORD',
    needs: ['url', 'path'],
    foreign: ['owner', 'repository', 'hostname', 'personal'],
    addsKeys: false,
    ownerInUrl: true,
    user: ({ username }) => username,
    flags: gitFlags,
  },
} as const satisfies Readonly<Record<string, FluxProvider>>;

/** Returns the names of the providers for a message, such as `github, gitlab or git`. */
export function providerNames(): string {
  const names = Object.keys(fluxProviders);
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

function ownerFlags({ hostname, owner, repository, personal }: Place): readonly string[] {
  return [
    ...optional('hostname', hostname),
    ...optional('owner', owner),
    ...optional('repository', repository),
    flag('personal', personal),
  ];
}

/** Returns the flags for gitlab. Uses --visibility, because flux reports --private as deprecated there. */
function gitlabFlags(place: Place): readonly string[] {
  return [...ownerFlags(place), flag('visibility', place.private ? 'private' : 'public')];
}

function gitFlags({ url, username }: Place): readonly string[] {
  return [
    // Omits the user name in a clone URL of Azure DevOps, because flux takes it from --username.
    ...optional('url', url?.replace(/^https:\/\/[^/@]+@/, 'https://')),
    flag('username', username),
    // Without --silent, flux waits for a person to confirm the deploy key.
    flag('silent', true),
  ];
}
