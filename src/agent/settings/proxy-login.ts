/** The user name and the password of a login for a proxy. */
export interface UserAndPassword {
  readonly user: string;
  readonly password: string;
}

/** Parses the content of network.proxyCredentialsFile, one line `user:password`; `undefined` for any other content. */
export function parseProxyLogin(content: string): UserAndPassword | undefined {
  const [, user, password] = /^([^:\p{Cc}]+):(\P{Cc}+)\r?\n?$/u.exec(content) ?? [];
  return user === undefined || password === undefined ? undefined : { user, password };
}
