import * as z from 'zod/mini';
import { parseJson } from '../engine/json.ts';
import type { Secret } from '../engine/secret.ts';
import type { RegistryPassword } from './cloud.ts';

/** When a token was issued and when it ends, epoch milliseconds by the clock of its issuer. */
export interface Jwt {
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/**
 * Returns the `iat` and `exp` claims of a JSON Web Token (RFC 7519, section 4.1); `undefined` if the text is not such a
 * token with both dates. The signature is left to the receiver of the token.
 */
export function readJwt(token: string): Jwt | undefined {
  const found = claimsOf(token);
  if (!found || found.exp <= found.iat) {
    return undefined;
  }
  return { issuedAt: found.iat * 1000, expiresAt: found.exp * 1000 };
}

/**
 * Returns a password that was received at this time, with its end by the clock of this machine. A password that is not
 * a token does not end.
 *
 * LIFE COUNTS FROM RECEIPT: it is `exp - iat`, and neither date is ever compared with the clock of this machine. If
 * they were, a clock that is an hour ahead would make each new password an hour old, one that is days ahead would renew
 * each without end, and one that is behind would use a password past its end. The difference is right under any clock.
 * The third of it that is left at a renewal covers a clock that was set back by an hour meanwhile.
 */
export function received(password: Secret, receivedAt: number): RegistryPassword {
  const jwt = readJwt(password.reveal());
  return jwt ? { password, until: receivedAt + jwt.expiresAt - jwt.issuedAt } : { password };
}

/** Seconds up to the latest time of a Date (ECMA-262). */
const seconds = z.number().check(z.positive(), z.maximum(8.64e12));
const claims = z.object({ iat: seconds, exp: seconds });

function claimsOf(token: string): z.output<typeof claims> | undefined {
  const [, encoded, , ...rest] = token.split('.');
  if (!encoded || rest.length > 0) {
    return undefined;
  }
  return parseJson(claims, Buffer.from(encoded, 'base64url').toString('utf8'));
}
