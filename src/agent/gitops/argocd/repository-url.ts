/** True if the URL of a repository is one over ssh, in either of its two forms. */
export function isSsh(url: string): boolean {
  return url.startsWith('ssh://') || !url.includes('://');
}

/**
 * True if Argo CD treats two URLs as one repository (argoproj/argo-cd util/git/git.go, NormalizeGitURL): ignores case,
 * the suffix `.git`, and the form of a URL over ssh.
 */
export function isSameRepository(one: string, other: string): boolean {
  return normalized(one) === normalized(other);
}

function normalized(url: string): string {
  const lower = url.trim().toLowerCase();
  const whole = lower.includes('://') ? lower : `ssh://${lower.replace(':', '/')}`;
  return whole.replace(/\.git$/, '');
}

/** Returns the URL without the password that a person may have written into it, for messages. */
export function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/@]*@/, '$1');
}
