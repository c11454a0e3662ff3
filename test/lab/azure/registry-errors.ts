/** Error replies in the form of "Error Codes" in the OCI distribution specification, with Azure's messages. */
import type { Reply } from './loopback.ts';

export const unauthorized = failed(
  401,
  'UNAUTHORIZED',
  'authentication required, visit https://aka.ms/acr/authorization for more information.',
);

export function failed(status: number, code: string, message: string, detail: unknown = null): Reply {
  return { status, body: { errors: [{ code, message, detail }] } };
}

export interface Challenge {
  readonly loginServer: string;
  readonly scope?: string;
  readonly error?: 'invalid_token' | 'insufficient_scope';
}

/** Returns a 401 with a challenge (RFC 6750, section 3): the token endpoint, and the scope and the error if given. */
export function challenged({ loginServer, scope, error }: Challenge): Reply {
  const parts = [
    `realm="https://${loginServer}/oauth2/token"`,
    `service="${loginServer}"`,
    ...(scope === undefined ? [] : [`scope="${scope}"`]),
    ...(error === undefined ? [] : [`error="${error}"`]),
  ];
  const headers = {
    'www-authenticate': `Bearer ${parts.join(',')}`,
    'docker-distribution-api-version': 'registry/2.0',
  };
  return { ...unauthorized, headers };
}
