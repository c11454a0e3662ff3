import type { RegistryPassword } from '../../clouds/cloud.ts';
import type { HostReader } from '../../engine/host.ts';
import { renderOwn } from '../../engine/own-file.ts';
import { Secret, sensitive } from '../../engine/secret.ts';
import { ownFiles } from '../../own-files.ts';
import type { NodePaths } from '../../paths.ts';
import { isPrivate } from '../../resources/file-attributes.ts';
import { type Logins, parseLogins, type StoredLogin } from './answer/logins.ts';
import { formerLogins } from './former-logins.ts';

/**
 * The logins of this node; none where the store cannot be read, is damaged, or could have been read or written by
 * others: they are fetched anew.
 */
export async function readLogins(host: HostReader, paths: NodePaths): Promise<Logins> {
  const found = await host.readFile(paths.slipway.logins).catch(() => undefined);
  if (!found) return formerLogins(host, paths);
  return isPrivate(found) ? parseLogins(found.content) : {};
}

/** A login of which the password was received at this time. */
export function storedLogin(
  username: string,
  { password, until }: RegistryPassword,
  receivedAt: number,
): StoredLogin {
  return { username, password: password.reveal(), receivedAt, ...(until !== undefined && { until }) };
}

/** The text of the store, which is replaced whole (mode 0600). */
export function renderLogins(logins: Logins): Secret {
  return sensitive((show) => {
    const shown = Object.entries(logins).map(([server, { password, ...login }]) => [
      server,
      { ...login, password: show(new Secret(password)) },
    ]);
    return renderOwn(ownFiles.logins, { logins: Object.fromEntries(shown) });
  });
}
