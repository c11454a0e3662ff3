/**
 * The password of a server: that of the given token, otherwise of the token file of its last start, otherwise random
 * (pkg/daemons/control/deps, genUsers; pkg/cluster/storage.go, readTokenFromFile).
 */
import { randomBytes } from 'node:crypto';
import { fatal } from './k3s-log.ts';
import { parseToken } from './k3s-token.ts';

const kept = new WeakMap<object, string>();

/** Returns the password of the servers of the cluster, the same one for each call with this server. */
export function passwordOf(server: {
  readonly token: string | undefined;
  readonly files: { read(path: string): string | undefined };
}): string {
  const known = kept.get(server);
  if (known !== undefined) {
    return known;
  }
  const stored = server.files.read('token')?.trim();
  const text = server.token ?? stored;
  const password = text === undefined ? randomBytes(16).toString('hex') : parseOrDie(text).password;
  kept.set(server, password);
  return password;
}

/** Parses a token; exits with K3s's error for a malformed one. */
export function parseOrDie(token: string) {
  try {
    return parseToken(token);
  } catch {
    return fatal(
      'Error: preparing server: failed to normalize server token; must be in format K10<CA-HASH>::<USERNAME>:<PASSWORD> or <PASSWORD>',
    );
  }
}
