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
 * Returns the `iat` and `exp` claims of a JSON Web Token (RFC 7519, section 4.1); `undefined` if the text is not a
 * token with both dates, or if `exp` is not after `iat`. Does not check the signature, which is left to the recipient
 * of the token.
 */
export function readJwt(token: string): Jwt | undefined {
  const found = claimsOf(token);
  if (!found || found.exp <= found.iat) {
    return undefined;
  }
  return { issuedAt: found.iat * 1000, expiresAt: found.exp * 1000 };
}

/**
 * Returns a password with its expiry by the clock of this machine, `receivedAt` plus the life of the token. A password
 * that is not a token does not expire.
 *
 * LIFE COUNTS FROM RECEIPT: the life is `exp - iat`, and neither date is ever compared with the clock of this machine.
 * If they were compared, a clock an hour ahead would make each new password an hour old, a clock days ahead would cause
 * endless renewals, and a slow clock would keep an expired password in use. The difference is right under any clock. A
 * renewal happens with a third of the life left, which covers a clock that was set back by an hour meanwhile.
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
