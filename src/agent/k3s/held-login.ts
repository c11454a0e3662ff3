import type { FoundFile } from '../core/host.ts';
import { jwtTimes } from '../core/jwt.ts';
import { Secret } from '../core/secret.ts';
import type { Login, Registries } from './registries-yaml.ts';

/** A login as registries.yaml has it. */
export interface HeldLogin {
  readonly login: Login;
  /** Epoch milliseconds by the clock of this machine. */
  readonly receivedAt: number;
  /** Milliseconds the password lives from its issue on; `undefined` where it has no end that is known. */
  readonly life: number | undefined;
}

/**
 * What the file has for a server, if it is ours: with `user`, and where it is a JWT, made for this login server.
 * The newest password was received when the file was written; another one as much earlier as it was issued.
 */
export function heldLogin(
  content: Registries,
  server: string,
  user: string,
  { modifiedAt }: Pick<FoundFile, 'modifiedAt'>,
): HeldLogin | undefined {
  const { username, password } = content.configs?.[server]?.auth ?? {};
  if (username !== user || !password) return undefined;
  const audience = audienceOf(password);
  if (audience !== undefined && audience !== server) return undefined;
  const times = jwtTimes(password);
  return {
    login: { username, password: new Secret(password) },
    receivedAt: modifiedAt - (times ? newestIssue(content) - times.issuedAt : 0),
    life: times && times.expiresAt - times.issuedAt,
  };
}

function newestIssue({ configs = {} }: Registries): number {
  return Math.max(...Object.values(configs).map(({ auth }) => jwtTimes(auth?.password ?? '')?.issuedAt ?? 0));
}

/** The `aud` claim of a JWT (RFC 7519, section 4.1.3). */
function audienceOf(password: string): string | undefined {
  if (!jwtTimes(password)) return undefined;
  const claims = JSON.parse(Buffer.from(password.split('.')[1] ?? '', 'base64url').toString('utf8'));
  return typeof claims.aud === 'string' ? claims.aud.toLowerCase() : undefined;
}
