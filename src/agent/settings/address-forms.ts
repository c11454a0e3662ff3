import * as z from 'zod/mini';
import { hostName, text } from './forms.ts';

/** The form of a registry in containerd's configuration: a host name, with or without a port, or `*` for all others. */
export const registryName = address(
  new RegExp(`^(?:\\*|${hostName}(?::\\d+)?)$`),
  'be the bare host name of a registry in lower case such as docker.io, or "*"; leave out https:// and any path',
  (value) => (value === '*' ? undefined : `https://${value}`),
);

/** The form of an http or https URL without user name, password or query, because settings are printed. */
export const url = address(
  /^https?:\/\/[^\s/@?#]+(\/[^\s@?#]*)?$/,
  'be a URL such as https://example.com/path, without user name, password or query',
);

/**
 * The form of the URL of a Git repository. The clone URL of Azure DevOps repeats the organisation as a user name, which
 * is not a secret; any other user name may be a token.
 */
export const gitUrl = address(
  /^https:\/\/(?:([^\s/@:?#]+)@dev\.azure\.com\/\1|[^\s/@?#]+)\/[^\s?#]+$/,
  'be the https:// URL of a Git repository, without a user name, password or query, so for Azure DevOps https://dev.azure.com/ORGANIZATION/PROJECT/_git/REPOSITORY (Flux gets the token of tokenSecretName)',
);

/** The form of the URL of a Git repository over https, or over ssh as `ssh://` or `user@host:path`. */
export const gitRemote = address(
  /^(?:https:\/\/[^\s/@?#]+\/[^\s?#]+|ssh:\/\/[^\s/@:?#]+@[^\s/@?#]+\/[^\s?#]+|[^\s/@:?#]+@[^\s/@:?#]+:[^\s?#]+)$/,
  'be the URL of a Git repository such as https://github.com/acme/fleet.git or git@github.com:acme/fleet.git; https:// without a user name, password or query',
  // Replaces ssh with https, since Node validates the host of a URL only for protocols such as https.
  (value) => `https://${value.includes('://') ? value.replace(/^\w+:\/\//, '') : value.replace(':', '/')}`,
);

export const gitHost = address(
  /^[A-Za-z0-9][A-Za-z0-9.-]*(:\d+)?$/,
  'be a bare host name such as github.example.com; leave out https:// and any path',
  (value) => `https://${value}`,
);

/**
 * Returns a form of text that matches a pattern and whose URL has a valid host and port. `https://x:99999` matches the
 * pattern of `url`, but its port is invalid.
 */
export function address(
  pattern: RegExp,
  must: string,
  urlOf: (value: string) => string | undefined = (value) => value,
) {
  const isPossible = (value: string) => {
    const url = urlOf(value);
    // Another check reports a mismatch or a control character.
    return !pattern.test(value) || /\p{Cc}/u.test(value) || url === undefined || isReachable(url);
  };
  return text(pattern, must).check(
    z.refine(
      isPossible,
      'must have a valid host, and a port from 1 to 65535 if any, such as example.com:8443',
    ),
  );
}

/** True if a request to `url` is possible: Node parses the URL, and its port is not 0. */
export function isReachable(url: string): boolean {
  return URL.canParse(url) && new URL(url).port !== '0';
}
