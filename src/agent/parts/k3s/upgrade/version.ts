/** A K3s release such as `v1.36.3+k3s1`: the Kubernetes version, and the number of the K3s release for that version. */
export interface K3sVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** The number of a release candidate; infinite for a final release, so that it comes after all its candidates. */
  readonly candidate: number;
  readonly k3s: number;
}

/** Parses the name of a K3s release; `undefined` for any other string. */
export function parseVersion(text: string): K3sVersion | undefined {
  const match = /^v(\d+)\.(\d+)\.(\d+)(?:-rc(\d+))?\+k3s(\d+)$/.exec(text);
  if (!match) {
    return undefined;
  }
  const [, major, minor, patch, candidate, k3s] = match;
  return {
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
    candidate: candidate === undefined ? Number.POSITIVE_INFINITY : Number(candidate),
    k3s: Number(k3s),
  };
}

/** Returns -1 if `a` is older than `b`, 1 if it is newer, and 0 if both are the same. */
export function compareVersions(a: K3sVersion, b: K3sVersion): number {
  const fields = ['major', 'minor', 'patch', 'candidate', 'k3s'] as const;
  const differing = fields.find((field) => a[field] !== b[field]);
  if (differing === undefined) {
    return 0;
  }
  return a[differing] < b[differing] ? -1 : 1;
}

/**
 * True if a node may go from one release to the other in one step: to the same or a newer release of the same major
 * version, at most one minor version newer.
 */
export function isOneStep(from: K3sVersion, to: K3sVersion): boolean {
  return compareVersions(from, to) <= 0 && from.major === to.major && to.minor - from.minor <= 1;
}
