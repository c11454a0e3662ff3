import * as z from 'zod/mini';
import { parseJson } from '../engine/json.ts';
import type { Secret } from '../engine/secret.ts';
import type { RegistryPassword } from './cloud.ts';

/** When a token was issued and when it expires, in epoch milliseconds by the issuer's clock. */
export interface Jwt {
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/**
 * Returns the `iat` and `exp` claims of a JSON Web Token (RFC 7519, section 4.1); `undefined` if the string is not a
 * token with both dates, or if `exp` is not after `iat`. Does not check the signature; that is the task of the token's
 * recipient.
 */
export function readJwt(token: string): Jwt | undefined {
  const found = claimsOf(token);
  if (!found || found.exp <= found.iat) {
    return undefined;
  }
  return { issuedAt: found.iat * 1000, expiresAt: found.exp * 1000 };
}

/**
 * Returns a password with its expiry on this machine's clock: `receivedAt` plus the life of the token. A password that
 * is not a JWT with both dates does not expire.
 *
 * LIFE COUNTS FROM RECEIPT: the life is `exp - iat`, and neither date is ever compared with the clock of this machine.
 * If they were compared, a clock an hour ahead would make each new password an hour old, a clock days ahead would cause
 * endless renewals, and a clock that is behind would keep an expired password in use. The difference is right whatever
 * the clock shows. A renewal happens when a third of the life is left; with a life of three hours, this covers a clock
 * that is set back by an hour in the meantime.
 */
export function received(password: Secret, receivedAt: number): RegistryPassword {
  const jwt = readJwt(password.reveal());
  return jwt ? { password, until: receivedAt + jwt.expiresAt - jwt.issuedAt } : { password };
}

/** Positive seconds up to the latest time of a Date (ECMA-262). */
const seconds = z.number().check(z.positive(), z.maximum(8.64e12));
const claims = z.object({ iat: seconds, exp: seconds });

function claimsOf(token: string): z.output<typeof claims> | undefined {
  const [, encoded, , ...rest] = token.split('.');
  if (!encoded || rest.length > 0) {
    return undefined;
  }
  return parseJson(claims, Buffer.from(encoded, 'base64url').toString('utf8'));
}
