import type { RegistryPassword } from '../../clouds/cloud.ts';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { renderOwn } from '../../engine/own-file.ts';
import { remembering } from '../../engine/remembering.ts';
import { Secret, sensitive } from '../../engine/secret.ts';
import { forPerson } from '../../engine/severity.ts';
import { ownFiles } from '../../own-files.ts';
import type { NodePaths } from '../../paths.ts';
import { isPrivate } from '../../resources/file-attributes.ts';
import { type Logins, newestLogins, parseLogins, type StoredLogin } from './answer/logins.ts';
import { formerLogins } from './former-logins.ts';

/**
 * Returns the logins of this node. Ignores a store that cannot be read, is damaged, or could have been read or written
 * by other users, so that its logins are fetched again. Logins that a release without a store received later, as after
 * a rollback, take precedence over the store.
 */
export async function readLogins(host: HostReader, paths: NodePaths): Promise<Logins> {
  const found = await host.readFile(paths.slipway.logins).catch(() => undefined);
  const stored = found && isPrivate(found) ? parsed(found.content, paths.slipway.logins) : {};
  return newestLogins(await formerLogins(host, paths), stored, host.now());
}

const parsed = remembering(parseLogins);

/** Returns the login for a password that was received at `receivedAt`. */
export function storedLogin(
  username: string,
  { password, until }: RegistryPassword,
  receivedAt: number,
): StoredLogin {
  return { username, password: password.reveal(), receivedAt, ...(until !== undefined && { until }) };
}

/**
 * Returns the fresh login. Throws `PullCredentialRefused` if the fresh login equals a stored login that its registry
 * refused.
 */
export function notRefused(server: string, fresh: StoredLogin, stored: StoredLogin | undefined): StoredLogin {
  const isSame = stored?.username === fresh.username && stored.password === fresh.password;
  if (!(isSame && stored.refused)) {
    return fresh;
  }
  throw new NodeError(
    'PullCredentialRefused',
    `${server} refused its password, and the cloud gives the same one again. Correct it in the cloud; to have it read at once: systemctl reload slipway.`,
    forPerson,
  );
}

/** Returns the text of the store, a Secret for a file with mode 0600. */
export function renderLogins(logins: Logins): Secret {
  return sensitive((show) => {
    const shown = Object.entries(logins).map(([server, { password, ...login }]) => [
      server,
      { ...login, password: show(new Secret(password)) },
    ]);
    return renderOwn(ownFiles.logins, { logins: Object.fromEntries(shown) });
  });
}
