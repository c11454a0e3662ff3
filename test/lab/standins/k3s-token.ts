/**
 * Parses tokens, and reads them from files.
 *
 * Models pkg/clientaccess/token.go (K10<sha256 of the CA>::user:password, or a bare password) and pkg/util/file.go (K3s
 * waits up to 4 min for a missing token file, and checks every 2 s).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fatal, log } from './k3s-log.ts';

export interface Token {
  readonly caHash: string | undefined;
  readonly user: string | undefined;
  readonly password: string;
}

/**
 * Resolves to the token in `file` if `file` is set, otherwise to `given`, or to `undefined` if neither is set. Exits
 * with K3s's error if the file cannot be read, or is still missing after four minutes (pkg/cli/server and
 * pkg/cli/agent; seen on a real K3s 1.36).
 */
export async function readToken(
  given: string | undefined,
  file: string | undefined,
): Promise<string | undefined> {
  if (file === undefined || file === '') {
    return given === '' ? undefined : given?.trim();
  }
  for (let attempt = 0; attempt < 120; attempt += 1) {
    try {
      return readFileSync(file, 'utf8').trim();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
        fatal(`Error: failed to read token file: ${error instanceof Error ? error.message : error}`);
      }
      log('info', `Waiting for file ${JSON.stringify(file)} to be created`);
      await sleep(2_000);
    }
  }
  return fatal(`Error: timed out waiting for ${file}`);
}

export function parseToken(text: string): Token {
  if (!text.startsWith('K10')) {
    return { caHash: undefined, user: undefined, password: text };
  }
  const [hash = '', credentials = ''] = text.slice(3).split('::');
  const [user, ...password] = credentials.split(':');
  if (!/^[0-9a-f]{64}$/.test(hash) || password.length === 0) {
    throw new Error('invalid token format');
  }
  return { caHash: hash, user, password: password.join(':') };
}

/** Returns the SHA-256 hash of a CA certificate, as a full token contains it. */
export function caHash(pem: string): string {
  return createHash('sha256').update(pem).digest('hex');
}

export function fullToken(ca: string, user: string, password: string): string {
  return `K10${caHash(ca)}::${user}:${password}`;
}
