import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { NodeError } from '../../engine/errors.ts';
import { Secret } from '../../engine/secret.ts';
import { forPerson } from '../../engine/severity.ts';
import { parseProxyLogin } from '../../settings/proxy-login.ts';
import { readText } from '../files/bounded-read.ts';
import { fileError } from '../files/file-errors.ts';
import type { Network } from '../process/environment.ts';

/** The login for a proxy, as a header and as part of a URL. */
export interface ProxyLogin {
  /** The value of Proxy-Authorization (RFC 7617). */
  readonly authorization: Secret;
  /** `user:password@`, encoded for a URL. */
  readonly inUrl: Secret;
}

/**
 * Reads the proxy login from the file at network.proxyCredentialsFile: one line, `user:password`.
 *
 * Throws `SecretExposed` if the file belongs neither to root nor to the user of this process, or if other users may
 * access it; `InvalidSettings` if it does not contain one line of that form; and the errors of files. No message quotes
 * the file.
 */
export async function readProxyLogin(path: string): Promise<ProxyLogin> {
  const login = parseProxyLogin(await readPrivate(path));
  if (login === undefined) {
    throw new NodeError(
      'InvalidSettings',
      `network.proxyCredentialsFile: ${path} must hold one line user:password; write it anew.`,
      forPerson,
    );
  }
  const { user, password } = login;
  const encoded = Buffer.from(`${user}:${password}`).toString('base64');
  return {
    authorization: new Secret(`Basic ${encoded}`),
    inUrl: new Secret(`${encodeURIComponent(user)}:${encodeURIComponent(password)}@`),
  };
}

/**
 * Returns `network` with the login in the proxy's URL, for the environment of commands; unchanged without a proxy, or
 * if the login is missing or unreadable.
 */
export async function withProxyLogin(network: Network): Promise<Network> {
  const { proxy, proxyCredentialsFile: file } = network;
  const login = proxy && file ? await readProxyLogin(file).catch(() => undefined) : undefined;
  return login && proxy
    ? { ...network, proxy: proxy.replace('://', () => `://${login.inUrl.reveal()}`) }
    : network;
}

/**
 * Reads a file. Throws the errors of files, and `SecretExposed` unless root or this user owns the file and no other
 * user may access it. Checks the opened file, and does not wait for the other end of a pipe.
 */
async function readPrivate(path: string): Promise<string> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { uid, mode } = await file.stat();
    if (uid !== 0 && uid !== process.getuid?.()) {
      throw exposed(path, `user ${uid} owns`, 'chown root:root');
    }
    if ((mode & 0o077) !== 0) {
      throw exposed(path, 'other users may open', 'chmod 600');
    }
    return readText(file.fd, path);
  } catch (thrown) {
    throw fileError(thrown, 'read the login of network.proxyCredentialsFile', path);
  }
}

function exposed(path: string, why: string, repair: string): NodeError {
  return new NodeError(
    'SecretExposed',
    `network.proxyCredentialsFile names ${path}, which ${why}: ${repair} ${path}, and consider the password known.`,
    forPerson,
  );
}
