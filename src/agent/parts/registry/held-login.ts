import { type Jwt, readJwt } from '../../clouds/jwt.ts';
import { digest } from '../../engine/digest.ts';
import type { FoundFile } from '../../engine/host.ts';
import { Secret } from '../../engine/secret.ts';
import type { Login, Registries } from './registries-yaml.ts';

export interface ReceivedLogin {
  readonly login: Login;
  /** Epoch milliseconds by the clock of this machine. */
  readonly receivedAt: number;
}

/** A login as registries.yaml has it. */
export interface HeldLogin extends ReceivedLogin {
  /** Milliseconds the password lives from its receipt on; `undefined` where it has no end that is known. */
  readonly life: number | undefined;
}

/**
 * What the file has for a server, if it is ours: with `user`, and the very password whose receipt the file notes. In a
 * file without that note a JWT must name this login server; one that was received need not (a regional endpoint).
 *
 * LIFE COUNTS FROM RECEIPT: it is `exp - iat`, and neither date is ever compared with the clock of this machine. With
 * a clock that is an hour ahead each new password looks an hour old, and with one that is days ahead each would be
 * renewed for ever; with one that is behind, a password would be used past its end. Life itself is right under any
 * clock. The third of it that is left at a renewal covers a clock put back by an hour meanwhile.
 *
 * The receipt is noted in the file, so that a hand that touches the file or a backup that restores it makes no old
 * password new, and a password that is kept stays as old as it is. A file that has no note for a server is one of an
 * older Slipway: it tells the earlier of its own time and the password's, which errs by one early renewal at worst.
 */
export function heldLogin(
  content: Registries,
  server: string,
  user: string,
  found: Pick<FoundFile, 'content' | 'modifiedAt'>,
): HeldLogin | undefined {
  const { username, password } = content.configs?.[server]?.auth ?? {};
  if (username !== user || !password) return undefined;
  const receipt = receiptOf(found.content, server);
  const jwt = readJwt(password);
  if (receipt ? receipt.password !== digest(password) : isForAnother(jwt, server)) return undefined;
  return {
    login: { username, password: new Secret(password) },
    receivedAt: receipt?.at ?? Math.min(found.modifiedAt, jwt?.issuedAt ?? Number.POSITIVE_INFINITY),
    life: jwt && jwt.expiresAt - jwt.issuedAt,
  };
}

/** The notes of receipt for the end of a registries.yaml, as comments, which K3s does not read. */
export function receiptNotes(logins: ReadonlyMap<string, ReceivedLogin>): string {
  const notes = [...logins].map(
    ([server, { login, receivedAt }]) =>
      `# ${server}: received ${new Date(receivedAt).toISOString()} ${digest(login.password.reveal())}\n`,
  );
  return notes.join('');
}

function receiptOf(text: string, server: string) {
  for (const [, name, time = '', password] of text.matchAll(/^# (\S+): received (\S+) (sha256:\w+)$/gm)) {
    const at = Date.parse(time);
    if (name === server && Number.isFinite(at)) return { at, password };
  }
  return undefined;
}

/** Whether it is a token for another registry. */
function isForAnother(jwt: Jwt | undefined, server: string): boolean {
  return jwt?.audience !== undefined && jwt.audience.toLowerCase() !== server;
}
