import { delimiter } from 'node:path';
import { metadataAddresses } from '../../clouds/metadata.ts';

/** How the machine reaches the network, by the settings. */
export interface Network {
  readonly proxy?: string | undefined;
  /** A file with one line, `user:password`, for the proxy. */
  readonly proxyCredentialsFile?: string | undefined;
  readonly noProxy?: readonly string[] | undefined;
  readonly caFile?: string | undefined;
}

/**
 * Hosts that are never reached through a proxy: this one, and instance metadata services, which refuse proxied
 * requests.
 */
export const alwaysDirect: readonly string[] = ['localhost', '127.0.0.1', '::1', ...metadataAddresses()];

/**
 * Returns the small, clean environment of every command: of this process's own only PATH and HOME, since the rest was
 * not meant for kubectl or flux.
 *
 * HOME is always set: systemd does not set it, and kubectl and flux fail without it. SSL_CERT_FILE adds the settings'
 * CA for Go programs, which still read the system's certificate folders (Go crypto/x509/root_unix.go).
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

/** The directories of a system's own programs. */
export const standardPath = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
].join(delimiter);

/** Returns both spellings: curl knows only the lower-case http_proxy. */
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
