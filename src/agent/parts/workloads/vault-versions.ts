import type { Cloud } from '../../clouds/cloud.ts';
import type { HostReader } from '../../engine/host.ts';

interface Seen {
  /** When the version was queried, on the clock that is never set. */
  readonly at: number;
  readonly version: string | undefined;
}

/** The versions that this process has seen, by cloud and name of the secret. */
const seen = new WeakMap<Cloud, Map<string, Seen>>();

/**
 * Returns the versions of these secrets in the vault, none older than `every` milliseconds; `undefined` if one of them
 * is unknown.
 */
export async function vaultVersions(
  host: HostReader,
  cloud: Cloud,
  names: readonly string[],
  every: number,
): Promise<readonly string[] | undefined> {
  const known = seen.get(cloud) ?? new Map<string, Seen>();
  seen.set(cloud, known);
  const versions: string[] = [];
  for (const name of names) {
    const version = await versionOf(host, cloud, name, every, known);
    if (version === undefined) {
      return undefined;
    }
    versions.push(version);
  }
  return versions;
}

async function versionOf(
  host: HostReader,
  cloud: Cloud,
  name: string,
  every: number,
  known: Map<string, Seen>,
): Promise<string | undefined> {
  const last = known.get(name);
  if (last && host.monotonic() < last.at + every) {
    return last.version;
  }
  const at = host.monotonic();
  const version = await cloud.secretVersion(name);
  known.set(name, { at, version });
  return version;
}
