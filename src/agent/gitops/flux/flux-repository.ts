import { posix } from 'node:path';
import { type FluxProvider, fluxProviders, type Place } from './providers.ts';
import type { FluxSettings } from './settings.ts';

type Named = Place & Pick<FluxSettings, 'provider'>;

/**
 * Returns the name of the repository in the settings for messages: its URL, or a name such as `github.com/acme/fleet`.
 */
export function repositoryName({ provider, hostname, owner, repository, url }: Named): string {
  const { host, needs }: FluxProvider = fluxProviders[provider];
  return needs.includes('url') ? (url ?? 'its repository') : [hostname ?? host, owner, repository].join('/');
}

/** Returns the https URL of the repository in the settings; `undefined` if the settings do not have all of it. */
export function repositoryUrl(settings: Named): URL | undefined {
  const url = `https://${repositoryName(settings).replace(/^https:\/\//, '')}`;
  return URL.canParse(url) ? new URL(url) : undefined;
}

/**
 * True if the URL in a GitRepository names the repository in the settings, or if one of the two is not a URL. Ignores
 * parts that do not identify the repository: case, port, `.git`, and for ssh the host name, which may differ from the
 * https host name (ssh.github.com).
 */
export function isRepository(settings: Named, found: string): boolean {
  const expected = repositoryUrl(settings);
  if (!URL.canParse(found) || expected === undefined) {
    return true;
  }
  const actual = new URL(found);
  const isHost = actual.protocol === 'ssh:' || actual.hostname === expected.hostname;
  const compared = fluxProviders[settings.provider].ownerInUrl ? pathOf : nameOf;
  return isHost && compared(actual) === compared(expected);
}

/**
 * Returns the path of a repository's URL without the parts that only one protocol has, such as `_git` at Azure DevOps.
 */
function pathOf({ pathname }: URL): string {
  return pathname
    .toLowerCase()
    .replace(/^\/(v3|scm)\//, '/')
    .replace('/_git/', '/')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
}

/** Returns the repository's name in a URL, with hyphens for spaces and most signs, because Bitbucket replaces them. */
function nameOf(url: URL): string {
  return posix.basename(pathOf(url)).replaceAll(/(?:%[0-9a-f]{2}|[^\w.])+/g, '-');
}

/** Returns a URL without user name and password, which might be secret. Throws for an invalid URL. */
export function withoutLogin(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
