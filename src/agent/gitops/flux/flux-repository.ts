import { posix } from 'node:path';
import { type FluxProvider, fluxProviders, type Place } from './providers.ts';
import type { FluxSettings } from './settings.ts';

type Named = Place & Pick<FluxSettings, 'provider'>;

/** Returns the name of the repository in the settings for messages, such as `github.com/acme/fleet`. */
export function repositoryName({ provider, hostname, owner, repository, url }: Named): string {
  const { host, needs }: FluxProvider = fluxProviders[provider];
  return needs.includes('url') ? (url ?? 'its repository') : [hostname ?? host, owner, repository].join('/');
}

/**
 * True if the URL in a GitRepository is that of the repository in the settings, or if it is not a URL. Ignores what
 * does not select another repository: case, port, `.git`, and for ssh the host name, which may differ from that of
 * https (ssh.github.com).
 */
export function isRepository(settings: Named, found: string): boolean {
  const wanted = `https://${repositoryName(settings).replace(/^https:\/\//, '')}`;
  if (!URL.canParse(found) || !URL.canParse(wanted)) {
    return true;
  }
  const [actual, expected] = [new URL(found), new URL(wanted)];
  const isHost = actual.protocol === 'ssh:' || actual.hostname === expected.hostname;
  const compared = fluxProviders[settings.provider].ownerInUrl ? pathOf : nameOf;
  return isHost && compared(actual) === compared(expected);
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

/** Returns the name of a repository in the form of a URL, in which Bitbucket replaces spaces and most signs. */
function nameOf(url: URL): string {
  return posix.basename(pathOf(url)).replaceAll(/(?:%[0-9a-f]{2}|[^\w.])+/g, '-');
}

/** Returns a valid URL without user name and password, which might be a secret. */
export function withoutLogin(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
