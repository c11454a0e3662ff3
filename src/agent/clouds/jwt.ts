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
  const [, claims, , ...rest] = token.split('.');
  if (!claims || rest.length > 0) return undefined;
  const { iat, exp } = parsed(claims);
  if (!isSeconds(iat) || !isSeconds(exp) || exp <= iat) return undefined;
  return { issuedAt: iat * 1000, expiresAt: exp * 1000 };
}

function parsed(claims: string): { readonly iat?: unknown; readonly exp?: unknown } {
  try {
    return JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) ?? {};
  } catch {
    return {};
  }
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY;
}
