import { NodeError } from '../../engine/errors.ts';
import type { Severity } from '../../engine/severity.ts';
import type { WishedSecret } from './wished-secret.ts';

/** Returns `SecretOwned` for a conflict about a Secret, and any other error unchanged. `advice` is a sentence. */
export function secretOwned(
  { namespace, name }: WishedSecret,
  thrown: unknown,
  severity: Severity,
  advice: string,
): unknown {
  if (!(thrown instanceof NodeError) || thrown.reason !== 'ApiConflict') {
    return thrown;
  }
  return new NodeError(
    'SecretOwned',
    `Another program owns a key of Secret ${namespace}/${name}, so nothing was changed. ${thrown.message} ${advice}`,
    { ...severity, cause: thrown },
  );
}
