import { delimiter } from 'node:path';
import { metadataAddresses } from '../../clouds/metadata.ts';

/** The settings by which this machine reaches the network. */
export interface Network {
  readonly proxy?: string | undefined;
  /** The file with the login for the proxy: one line, `user:password`. */
  readonly proxyCredentialsFile?: string | undefined;
  readonly noProxy?: readonly string[] | undefined;
  readonly caFile?: string | undefined;
}

/**
 * Hosts that are never reached through a proxy: this host, and the metadata services of clouds, which refuse proxied
 * requests.
 */
export const alwaysDirect: readonly string[] = ['localhost', '127.0.0.1', '::1', ...metadataAddresses()];

/**
 * Returns the environment of commands: PATH and HOME of this process or their defaults, LANG, and the proxy and the CA
 * from the settings. Omits all other variables of this process, which were not meant for kubectl or flux.
 *
 * HOME always has a value, because systemd sets none, and kubectl and flux fail without it. SSL_CERT_FILE adds
 * `network.caFile` for Go programs, which also read the system's certificate folders (Go crypto/x509/root_unix.go).
 */
export function childEnvironment(own: NodeJS.ProcessEnv, network: Network): Readonly<Record<string, string>> {
  return {
    PATH: own.PATH || standardPath,
    HOME: own.HOME || '/root',
    LANG: 'C.UTF-8',
    ...(network.proxy && proxyVariables(network.proxy, network.noProxy ?? [])),
    ...(network.caFile && { SSL_CERT_FILE: network.caFile }),
  };
}

/** The standard directories of programs, as a value of PATH. */
export const standardPath = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
].join(delimiter);

/** Returns the proxy variables in upper and lower case, because curl reads only the lower-case http_proxy. */
function proxyVariables(proxy: string, noProxy: readonly string[]): Record<string, string> {
  const direct = [...new Set([...alwaysDirect, ...noProxy])].join(',');
  return {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    NO_PROXY: direct,
    http_proxy: proxy,
    https_proxy: proxy,
    no_proxy: direct,
  };
}
