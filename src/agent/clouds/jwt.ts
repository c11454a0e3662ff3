import * as z from 'zod/mini';
import { parseJson } from '../engine/json.ts';

/** What is read of a token: when it was issued and when it ends, epoch milliseconds, and its one audience. */
export interface Jwt {
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** `undefined` where it has none, or several. */
  readonly audience: string | undefined;
}

/**
 * Returns the `iat`, `exp` and `aud` claims of a JSON Web Token (RFC 7519, section 4.1); `undefined` if the text is not
 * such a token with both dates. The signature is left to the receiver of the token.
 */
export function readJwt(token: string): Jwt | undefined {
  const found = claimsOf(token);
  if (!found || found.exp <= found.iat) return undefined;
  return { issuedAt: found.iat * 1000, expiresAt: found.exp * 1000, audience: found.aud };
}

const seconds = z.number().check(z.positive());
const claims = z.object({ iat: seconds, exp: seconds, aud: z.catch(z.optional(z.string()), undefined) });

function claimsOf(token: string): z.output<typeof claims> | undefined {
  const [, encoded, , ...rest] = token.split('.');
  if (!encoded || rest.length > 0) return undefined;
  return parseJson(claims, Buffer.from(encoded, 'base64url').toString('utf8'));
}
