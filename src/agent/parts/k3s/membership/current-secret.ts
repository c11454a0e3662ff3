import type { Cloud } from '../../../clouds/cloud.ts';
import type { Secret } from '../../../engine/secret.ts';

/** A value that was read, and its version if it was known then. */
interface Read {
  readonly version: string | undefined;
  readonly value: Secret;
}

/** The tokens that this process has read, by cloud and name of the secret. */
const reads = new WeakMap<Cloud, Map<string, Read>>();

/**
 * Returns the current value of a secret, which is read from the cloud only if it may have a version that this process
 * has not read yet.
 *
 * The first read asks for no version, so it costs one request. Where the identity may not see versions, every read gets
 * the value.
 */
export async function currentSecret(cloud: Cloud, name: string): Promise<Secret> {
  const known = reads.get(cloud) ?? new Map<string, Read>();
  reads.set(cloud, known);
  const last = known.get(name);
  // The version comes first, so a value that is replaced in between belongs to an older version, and is read again.
  const version = last && (await cloud.secretVersion(name));
  if (last && version !== undefined && version === last.version) {
    return last.value;
  }
  const value = await cloud.secret(name);
  known.set(name, { version, value });
  return value;
}
