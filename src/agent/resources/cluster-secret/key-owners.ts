import { fieldManager } from '../../kubernetes/api.ts';
import type { SecretMetadata } from './secret-object.ts';

/**
 * Returns the keys of a Secret that Slipway owns. If a program changes a value without server-side apply, it becomes
 * the only owner of the key. A key that is missing here therefore reveals the change, although Slipway reads no values.
 */
export function ownedKeys({ managedFields }: SecretMetadata): readonly string[] {
  return (managedFields ?? []).filter(isOurs).flatMap(keysOf);
}

/** True if field managers other than Slipway own one of the keys, and all of these managers are in `yielding`. */
export function isYielded(
  found: SecretMetadata | undefined,
  keys: readonly string[],
  yielding: readonly string[],
): boolean {
  const others = (found?.managedFields ?? []).filter(
    (entry) => !isOurs(entry) && keysOf(entry).some((key) => keys.includes(key)),
  );
  return others.length > 0 && others.every(({ manager = '' }) => yielding.includes(manager));
}

type Entry = NonNullable<SecretMetadata['managedFields']>[number];

function isOurs({ manager, operation }: Entry): boolean {
  return manager === fieldManager && operation === 'Apply';
}

function keysOf({ fieldsV1 }: Entry): readonly string[] {
  return Object.keys(fieldsV1?.['f:data'] ?? {}).map((field) => field.replace(/^f:/, ''));
}
