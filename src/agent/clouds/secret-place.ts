/** @module Secrets in files on the machine and in systemd credentials. */
import { join } from 'node:path';
import * as z from 'zod/mini';
import { sha256 } from '../engine/digest.ts';
import { NodeError, type NodeErrorOptions } from '../engine/errors.ts';
import type { FoundFile, HostReader } from '../engine/host.ts';
import type { Secret } from '../engine/secret.ts';
import { forPerson } from '../engine/severity.ts';
import { words } from '../settings/forms.ts';
import { storedSecret } from './stored-secret.ts';

const prefix = 'credential:';

/** The form of a secret's place: the path of a file, or `credential:NAME` with a name that systemd accepts. */
export const secretPlace = words.check(
  z.refine(
    (value) => !value.startsWith(prefix) || /^credential:(?!\.\.?$)[A-Za-z0-9_.-]{1,200}$/.test(value),
    {
      error: 'must be the path of a file, or a credential of systemd such as credential:k3s-token',
    },
  ),
);

/** The place of a secret: a file, or a systemd credential. */
interface Place {
  readonly path: string;
  /** The name of the systemd credential; absent for a file. */
  readonly credential?: string;
}

function placeOf(written: string, credentials: string): Place {
  if (!written.startsWith(prefix)) {
    return { path: written };
  }
  const credential = written.slice(prefix.length);
  return { path: join(credentials, credential), credential };
}

/**
 * Returns the secret in a file or a systemd credential, whose content must be a single line; `what` names the secret in
 * messages.
 *
 * Throws `SecretNotFound` if the file or credential is missing, `SecretExposed` if every user may access the file or if
 * a credential belongs to neither root nor the user of this process, and `SecretEmpty` for an unusable value.
 */
export async function secretAt(
  host: HostReader,
  written: string,
  credentials: string,
  what: string,
): Promise<Secret> {
  const place = placeOf(written, credentials);
  const found = await host.readFile(place.path);
  if (!found) {
    throw missing(place, what);
  }
  const exposed = exposure(place, found);
  if (exposed !== undefined) {
    throw refusal('SecretExposed', `The file ${place.path}, which holds ${what}, ${exposed}`);
  }
  const repair = `Write ${what} into it, on one line, in UTF-8 without a byte order mark.`;
  return storedSecret(found.content, `The file ${place.path}`, repair);
}

/** Returns the digest of the content of a file or a systemd credential; `undefined` if it is missing or exposed. */
export async function secretDigest(
  host: HostReader,
  written: string,
  credentials: string,
): Promise<string | undefined> {
  const place = placeOf(written, credentials);
  const found = await host.readFile(place.path);
  return found === undefined || exposure(place, found) !== undefined ? undefined : sha256(found.content);
}

function missing({ path, credential }: Place, what: string): NodeError {
  if (credential === undefined) {
    const message = `The file ${path}, which is to hold ${what}, does not exist yet. Create it with mode 0600.`;
    return refusal('SecretNotFound', message, { endedBy: 'time' });
  }
  return refusal(
    'SecretNotFound',
    `The credential ${credential}, which is to hold ${what}, is not at ${path}. systemd puts it there only while slipway.service runs: ` +
      `run systemctl start slipway. If the service has no such credential, run systemctl edit slipway, add LoadCredential=${credential}:FILE below [Service], and run systemctl restart slipway.`,
  );
}

/**
 * Returns the reason why Slipway does not use the file of a secret, and the command that repairs this; `undefined` if
 * the file is usable.
 */
function exposure({ path, credential }: Place, { mode, foreignUser }: FoundFile): string | undefined {
  const written = mode.toString(8).padStart(4, '0');
  if (credential !== undefined && foreignUser !== undefined) {
    return `belongs to another user (uid ${foreignUser}), so it is not used: only systemd writes credentials. Run: systemctl restart slipway`;
  }
  if ((mode & 0o007) === 0) {
    return undefined;
  }
  const repair = credential === undefined ? `chmod 600 ${path}` : 'systemctl restart slipway';
  return `is open to every user of this machine (mode ${written}), so it is not used. Run: ${repair}`;
}

/**
 * Returns an error about a secret that the settings place on the machine. By default, only a person can end the error.
 */
export function refusal(
  reason: 'SecretNotFound' | 'SecretExposed' | 'RegistryUnauthorized',
  message: string,
  options: NodeErrorOptions = forPerson,
): NodeError {
  return new NodeError(reason, message, options);
}
