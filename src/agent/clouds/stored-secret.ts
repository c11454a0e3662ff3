import { NodeError } from '../engine/errors.ts';
import { Secret } from '../engine/secret.ts';
import { forPerson } from '../engine/severity.ts';

/**
 * Returns the secret in a stored value, without the newline that an editor adds at the end of a file.
 *
 * Throws `SecretEmpty` for an unusable value. In its message, `where` names the place of the value, and `repair`
 * explains how to store the value again.
 */
export function storedSecret(stored: string, where: string, repair: string): Secret {
  const value = stored.replace(/[\r\n]+$/, '');
  const fault = faultOf(value);
  if (fault === undefined) {
    return new Secret(value);
  }
  throw new NodeError('SecretEmpty', `${where} ${fault}. ${repair}`, forPerson);
}

function faultOf(value: string): string | undefined {
  if (value.trim() === '') {
    return 'is empty';
  }
  if (/^\$\{\s*\w+\s*\}$/.test(value)) {
    return 'has a template variable that was not filled in';
  }
  if (strange.test(value)) {
    return 'has characters no token has, as a text that was saved as UTF-16 does';
  }
  return /[\r\n]/.test(value) ? 'has more than one line' : undefined;
}

/**
 * Characters that no secret has: control characters except line ends, the byte order mark, and the character that
 * replaces bytes that are not valid UTF-8.
 */
const strange = /[^\P{Cc}\r\n]|[\uFEFF\uFFFD]/u;
