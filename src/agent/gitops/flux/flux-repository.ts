import type { FluxSettings } from './settings.ts';

type Place = Pick<FluxSettings, 'provider' | 'hostname' | 'owner' | 'repository' | 'url'>;

/** Returns the name of the repository in the settings for messages, such as `github.com/acme/fleet`. */
export function repositoryName({ provider, hostname, owner, repository, url }: Place): string {
  return provider === 'git'
    ? (url ?? 'its repository')
    : [hostname ?? `${provider}.com`, owner, repository].join('/');
}

/**
 * True if the URL in a GitRepository is that of the repository in the settings, or if it is not a URL. Ignores what
 * does not select another repository: case, port, `.git`, and for ssh the host name, which may differ from that of
 * https (ssh.github.com).
 */
export function isRepository(settings: Place, found: string): boolean {
  const wanted = `https://${repositoryName(settings).replace(/^https:\/\//, '')}`;
  if (!URL.canParse(found) || !URL.canParse(wanted)) {
    return true;
  }
  const [actual, expected] = [new URL(found), new URL(wanted)];
  const isHost = actual.protocol === 'ssh:' || actual.hostname === expected.hostname;
  return isHost && pathOf(actual) === pathOf(expected);
}

/** Returns owner and name of a repository, without parts of only one protocol, such as `_git` at Azure DevOps. */
function pathOf({ pathname }: URL): string {
  return pathname
    .toLowerCase()
    .replace(/^\/(v3|scm)\//, '/')
    .replace('/_git/', '/')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
}

/** Returns a valid URL without user name and password, which might be a secret. */
export function withoutLogin(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
