import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import type { HttpRequest } from '../../engine/host.ts';
import type { Network } from '../process/environment.ts';
import { IdentifiedRoutes } from './identified-routes.ts';
import { type HttpProxy, openTunnel, secured } from './proxy.ts';
import { bypassesProxy } from './proxy-bypass.ts';
import { readProxyLogin } from './proxy-login.ts';
import { TrustStore } from './trust-store.ts';

/** The options of `node:http(s).request` for one exchange, and the proxy to use, if any. */
export interface Route extends Trust {
  readonly agent?: HttpAgent;
  readonly createConnection?: () => Socket;
  readonly proxy?: HttpProxy;
}

type Trust = Pick<ConnectionOptions, 'secureContext' | 'rejectUnauthorized' | 'checkServerIdentity'>;

/**
 * Chooses the connection of each exchange from the settings and the request.
 *
 * Keeps direct connections for four seconds and reuses them: those over HTTP, those over HTTPS with the system's trust,
 * and, separately for each client certificate, those with a client certificate. Any other connection serves one
 * exchange only: an agent would reuse it for a request that trusts other certificates, and a connection through a proxy
 * must close when its exchange is aborted.
 */
export class Routes {
  readonly #network: Network;
  readonly #http = new HttpAgent(kept);
  readonly #https = new HttpsAgent(kept);
  readonly #identified = new IdentifiedRoutes();
  readonly #trusted: TrustStore;

  constructor(network: Network) {
    this.#network = network;
    this.#trusted = new TrustStore(network.caFile);
  }

  async to(url: URL, request: Pick<HttpRequest, 'direct' | 'trust'>, signal: AbortSignal): Promise<Route> {
    const { trust } = request;
    if (typeof trust === 'object' && trust.identity !== undefined) {
      return this.#identified.route(trust.ca, trust.identity);
    }
    const tls = url.protocol === 'https:' ? await this.#tls(request.trust ?? 'system') : {};
    const proxy = await this.#proxyFor(url, request.direct ?? false);
    if (proxy !== undefined && url.protocol === 'http:') {
      return { proxy };
    }
    if (proxy !== undefined) {
      const tunnel = await openTunnel(url, proxy, signal);
      return { createConnection: () => secured(tunnel, url, tls) };
    }
    if (url.protocol === 'http:') {
      return { agent: this.#http };
    }
    return { ...tls, agent: (request.trust ?? 'system') === 'system' ? this.#https : new HttpsAgent() };
  }

  async #proxyFor(url: URL, direct: boolean): Promise<HttpProxy | undefined> {
    const { proxy, noProxy = [] } = this.#network;
    if (proxy === undefined || direct || bypassesProxy(url.hostname, noProxy)) {
      return undefined;
    }
    const tls = proxy.startsWith('https:') ? await this.#tls('system') : {};
    const { proxyCredentialsFile: file } = this.#network;
    // Reads the login for each exchange, since the password may change while the settings do not.
    return { url: new URL(proxy), tls, ...(file !== undefined && (await readProxyLogin(file))) };
  }

  async #tls(trust: NonNullable<HttpRequest['trust']>): Promise<Trust> {
    if (trust === 'anybody') {
      return { rejectUnauthorized: false };
    }
    const secureContext = trust === 'system' ? await this.#trusted.context() : contextOf(trust.ca);
    const anyName = trust !== 'system' && trust.anyName === true;
    return {
      secureContext,
      rejectUnauthorized: true,
      ...(anyName && { checkServerIdentity: () => undefined }),
    };
  }
}

const kept = { keepAlive: true, timeout: 4_000 };

/**
 * Returns a TLS context that trusts only these certificates. Passes them as a list, because Node ignores an empty
 * string and would trust its own roots.
 */
function contextOf(ca: string): SecureContext {
  return createSecureContext({ ca: [ca] });
}
