import type { Cloud } from '../../../clouds/cloud.ts';
import type { Secret } from '../../../engine/secret.ts';

/** A value that was read, with its version if the version was known at the time. */
interface Read {
  readonly version: string | undefined;
  readonly value: Secret;
}

/** The values that this process has read, by cloud and name of the secret. */
const reads = new WeakMap<Cloud, Map<string, Read>>();

/**
 * Returns the current value of a secret; reads the value from the cloud only if this process has not read its version
 * yet, or if the version is unknown.
 *
 * The first call does not query the version, so it costs one request. If the identity has no permission to see
 * versions, every call reads the value.
 */
export async function currentSecret(cloud: Cloud, name: string): Promise<Secret> {
  const known = reads.get(cloud) ?? new Map<string, Read>();
  reads.set(cloud, known);
  const last = known.get(name);
  // The version is queried before the value: a value that is replaced in between is stored with the older version, so
  // the next call reads it again.
  const version = last && (await cloud.secretVersion(name));
  if (last && version !== undefined && version === last.version) {
    return last.value;
  }
  const value = await cloud.secret(name);
  known.set(name, { version, value });
  return value;
}
