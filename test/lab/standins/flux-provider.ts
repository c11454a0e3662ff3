import type { Parsed } from './flux-flags.ts';
import type { Say } from './flux-model.ts';
import { isAccepted } from './flux-repository.ts';
import type { Objects } from './k3s-objects.ts';

/**
 * Resolves to the clone URL. Rejects with the errors of go-git-providers and go-git if a flag is missing or invalid, or
 * if the Git host does not accept the token.
 */
export async function reachRepository(
  flags: Parsed,
  cluster: Objects,
  token: string,
  say: Say,
): Promise<string> {
  if (flags.command === 'bootstrap git') {
    return reachPlainGit(flags, cluster, token, say);
  }
  const provider = flags.command.split(' ')[1];
  const hostname = flags.text('hostname', `${provider}.com`).replace(/^https:\/\//, '');
  const [owner, name] = [flags.text('owner'), flags.text('repository')];
  say('►', `connecting to ${hostname}`);
  if (!owner || !name) {
    throw refused(`https://${hostname}/${owner}/${name}`, missing(flags, owner, name));
  }
  const address = `https://${hostname}/${owner}/${name}`;
  if (!isAccepted(cluster.directory, token)) {
    const why = unauthorised[provider as Hosted](hostname, owner, name);
    throw refused(address, severalErrors([why, why]));
  }
  const url = cloneUrl(flags, hostname, owner, name);
  say('►', `cloning branch "${flags.text('branch', 'main')}" from Git repository "${url}"`);
  return url;
}

/**
 * Returns the clone URL. For Bitbucket, it contains the key of the project and the slug of the repository
 * (GetCloneURL).
 */
function cloneUrl(flags: Parsed, hostname: string, owner: string, name: string): string {
  if (flags.command !== 'bootstrap bitbucket-server') {
    return `https://${hostname}/${owner}/${name}.git`;
  }
  const slug = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9._]+/g, '-');
  const project = flags.on('personal') ? `~${owner.replace(/^~/, '')}` : slug(owner);
  return `https://${hostname}/scm/${project}/${slug(name)}.git`;
}

async function reachPlainGit(flags: Parsed, cluster: Objects, token: string, say: Say): Promise<string> {
  const url = flags.text('url');
  const scheme = URL.canParse(url) ? new URL(url).protocol.slice(0, -1) : '';
  if (scheme === 'http' && !flags.on('allow-insecure-http')) {
    throw new Error('scheme http is insecure, pass --allow-insecure-http=true to allow it');
  }
  if (scheme === 'ssh' && !flags.text('private-key-file')) {
    throw new Error('error creating SSH agent: "SSH agent requested but SSH_AUTH_SOCK not-specified"');
  }
  if (!['http', 'https', 'ssh'].includes(scheme)) {
    throw new Error(`scheme "${scheme}" is not supported`);
  }
  say('►', `cloning branch "${flags.text('branch', 'main')}" from Git repository "${url}"`);
  if (isAccepted(cluster.directory, token)) {
    return url;
  }
  const why = `unable to clone '${url}': authentication required`;
  say('⚠️', ` clone failure: ${why}`);
  await new Promise((resolve) => setTimeout(resolve, betweenClones));
  say('⚠️', ` clone failure: ${why}`);
  throw new Error(`failed to clone repository: ${why}`);
}

/** The time between two attempts to clone, in milliseconds. */
const betweenClones = 2_000;

type Hosted = 'github' | 'gitlab' | 'gitea' | 'bitbucket-server';

/**
 * The error messages for a token that the Git host does not accept; those of gitea and bitbucket-server are
 * assumptions.
 */
const unauthorised: Readonly<Record<Hosted, (host: string, owner: string, name: string) => string>> = {
  github: (host, owner, name) =>
    `GET https://${host === 'github.com' ? 'api.github.com' : `${host}/api/v3`}/repos/${owner}/${name}: 401 Bad credentials []`,
  gitea: (host, owner, name) =>
    `Get "https://${host}/api/v1/repos/${owner}/${name}": 401 Unauthorized: token is required`,
  'bitbucket-server': (host, owner) =>
    `Get "https://${host}/rest/api/1.0/projects/${owner}": 401 Authentication failed. Please check your credentials and try again.`,
  gitlab: (host, owner, name) =>
    `GET https://${host}/api/v4/projects/${owner}%2F${name}: 401 {message: 401 Unauthorized}`,
};

function missing(flags: Parsed, owner: string, name: string): string {
  const personal = flags.on('personal');
  const ref = personal ? 'UserRepositoryRef' : 'OrgRepositoryRef';
  const fields = [
    ...(owner
      ? []
      : [`validation error for ${ref}.${personal ? 'UserLogin' : 'Organization'}: field is required`]),
    ...(name ? [] : [`validation error for ${ref}.RepositoryName: field is required`]),
  ];
  return fields.length === 1 ? `${fields[0]}` : severalErrors(fields);
}

/**
 * Joins errors as validation.MultiError in go-git-providers does. The library reports a refused token as the same error
 * twice.
 */
function severalErrors(errors: readonly string[]): string {
  return `multiple errors occurred: \n- ${errors.join('\n- ')}`;
}

function refused(address: string, why: string): Error {
  return new Error(`failed to get Git repository "${address}": provider error: ${why}`);
}
