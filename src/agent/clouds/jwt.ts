import * as z from 'zod/mini';
import { parseJson } from '../engine/json.ts';

/** When a token was issued and when it ends, epoch milliseconds. */
export interface JwtTimes {
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/**
 * Returns the `iat` and `exp` claims of a JSON Web Token (RFC 7519, sections 4.1.4 and 4.1.6); `undefined` if the text
 * is not such a token. The signature is left to the receiver of the token.
 */
export function jwtTimes(token: string): JwtTimes | undefined {
  const dated = claimsOf(token);
  return dated && { issuedAt: dated.iat * 1000, expiresAt: dated.exp * 1000 };
}

/** The one audience of a JSON Web Token with both dates, its `aud` claim (RFC 7519, section 4.1.3). */
export function jwtAudience(token: string): string | undefined {
  return claimsOf(token)?.aud;
}

function claimsOf(token: string): z.output<typeof claims> | undefined {
  const [, encoded, , ...rest] = token.split('.');
  if (!encoded || rest.length > 0) return undefined;
  return parseJson(claims, Buffer.from(encoded, 'base64url').toString('utf8'));
}

const seconds = z.number().check(z.positive());
const claims = z
  .object({ iat: seconds, exp: seconds, aud: z.catch(z.optional(z.string()), undefined) })
  .check(z.refine(({ iat, exp }) => iat < exp));
