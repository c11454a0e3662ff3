import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { NodeError } from '../../engine/errors.ts';
import type { Secret } from '../../engine/secret.ts';
import { forPerson } from '../../engine/severity.ts';
import { errnoOf } from '../files/file-errors.ts';
import { connectionError, hintFor } from './http-errors.ts';

/** A proxy, with the TLS options for a proxy that itself speaks TLS. */
export interface HttpProxy {
  readonly url: URL;
  readonly tls: ConnectionOptions;
  /** The value of Proxy-Authorization, if the settings name a login. */
  readonly authorization?: Secret;
}

/** Returns the headers that only the proxy may see; an empty object if the proxy needs no login. */
export function proxyHeaders({ authorization }: HttpProxy): Readonly<Record<string, string>> {
  return authorization ? { 'proxy-authorization': authorization.reveal() } : {};
}

/**
 * Opens a tunnel through the proxy to the host and port of `url` (CONNECT, RFC 9110 section 9.3.6). If `signal` is
 * aborted, rejects with its reason; a tunnel that is already open stays open.
 *
 * Node parses the proxy's answer, so Node's limit on headers applies. Throws `Unreachable`, `TlsUntrusted` and
 * `ProxyUnauthorized`.
 */
export function openTunnel(url: URL, proxy: HttpProxy, signal: AbortSignal): Promise<Socket> {
  const target = `${url.hostname}:${url.port || 443}`;
  const send = proxy.url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const asked = send(proxy.url, {
      ...proxy.tls,
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...proxyHeaders(proxy) },
      agent: false,
      signal,
    });
    asked.on('error', (thrown) => reject(signal.aborted ? signal.reason : proxyUnreachable(thrown, proxy)));
    asked.once('connect', ({ statusCode = 0 }, socket) => {
      if (statusCode >= 200 && statusCode < 300) {
        return resolve(socket);
      }
      socket.destroy();
      reject(refusedByProxy(statusCode, url, proxy));
    });
    asked.once('close', () => reject(proxyUnreachable(undefined, proxy)));
    asked.end();
  });
}

/**
 * Starts TLS with the host of `url` through an open tunnel; the certificate must be for that host, unless `trust`
 * allows any name.
 */
export function secured(tunnel: Socket, url: URL, trust: ConnectionOptions): TLSSocket {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return connect({ ...trust, socket: tunnel, host, servername: isIP(host) ? '' : host });
}

/**
 * Returns `Unreachable` or `TlsUntrusted` for the proxy, and a NodeError unchanged. `Unreachable` has no `cause`,
 * because callers would attribute it to the host behind the proxy.
 */
export function proxyUnreachable(thrown: unknown, { url }: HttpProxy): NodeError {
  const error = connectionError(thrown, url);
  if (error.reason === 'TlsUntrusted' || thrown instanceof NodeError) {
    return error;
  }
  const code = errnoOf(thrown) ?? 'it closed the connection without an answer';
  return new NodeError(
    'Unreachable',
    `Cannot reach the proxy ${url.origin} (network.proxy): ${code}. ${hintFor(code)}`,
  );
}

/** Returns the error of a proxy's refusal: `ProxyUnauthorized` for 407, otherwise `Unreachable`. */
export function refusedByProxy(status: number, url: URL, proxy: HttpProxy): NodeError {
  if (status === 407) {
    return loginWanted(url, proxy);
  }
  return new NodeError(
    'Unreachable',
    `The proxy refuses to connect to ${url.host}: it answered ${status}. Allow it there, or name it in network.noProxy.`,
  );
}

function loginWanted(url: URL, proxy: HttpProxy): NodeError {
  const why = proxy.authorization
    ? 'refuses the login of network.proxyCredentialsFile (407). Correct the line user:password in that file.'
    : 'wants a login (407). Write user:password into a file of root with mode 0600, and name it in network.proxyCredentialsFile.';
  return new NodeError(
    'ProxyUnauthorized',
    `The proxy ${proxy.url.origin}, asked for ${url.host}, ${why}`,
    forPerson,
  );
}
