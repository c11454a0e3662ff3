/** True if the repository is accessed over ssh: its URL is of the form `ssh://HOST/PATH` or `USER@HOST:PATH`. */
export function isSsh(url: string): boolean {
  return url.startsWith('ssh://') || !url.includes('://');
}

/**
 * True if Argo CD treats two URLs as one repository (argoproj/argo-cd util/git/git.go, NormalizeGitURL): case, the
 * suffix `.git`, and the form of an ssh URL do not matter.
 */
export function isSameRepository(one: string, other: string): boolean {
  return normalized(one) === normalized(other);
}

function normalized(url: string): string {
  const lower = url.trim().toLowerCase();
  const whole = lower.includes('://') ? lower : `ssh://${lower.replace(':', '/')}`;
  return whole.replace(/\.git$/, '');
}

/** Returns the https URL of the host of a repository. */
export function hostOf(url: string): string {
  const place = url.replace(/^\w+:\/\//, '').replace(/^[^/@]*@/, '');
  return `https://${place.split(/[/:]/)[0]}`;
}
