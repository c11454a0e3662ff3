import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { HttpRequest } from '../../engine/host.ts';
import type { Network } from '../process/environment.ts';
import { type HttpProxy, openTunnel, secured } from './proxy.ts';
import { bypassesProxy } from './proxy-bypass.ts';
import { readProxyLogin } from './proxy-login.ts';
import { kept, type TlsOptions, TrustRoutes } from './trust-routes.ts';
import { TrustStore } from './trust-store.ts';

/** The options of `node:http(s).request` for one exchange, and the proxy to use, if any. */
export interface Route extends TlsOptions {
  readonly agent?: HttpAgent;
  readonly createConnection?: () => Socket;
  readonly proxy?: HttpProxy;
}

/**
 * Chooses the connection of each exchange from the settings and the request.
 *
 * Keeps direct connections for four seconds and reuses them: those over HTTP, those over HTTPS with the system's trust,
 * and, separately for each other trust and client certificate, those with this trust. A connection through a proxy
 * serves one exchange only, because it must close when its exchange is aborted.
 */
export class Routes {
  readonly #network: Network;
  readonly #http = new HttpAgent(kept);
  readonly #https = new HttpsAgent(kept);
  readonly #trusting = new TrustRoutes();
  readonly #trusted: TrustStore;

  constructor(network: Network) {
    this.#network = network;
    this.#trusted = new TrustStore(network.caFile);
  }

  async to(url: URL, request: Pick<HttpRequest, 'direct' | 'trust'>, signal: AbortSignal): Promise<Route> {
    const { trust = 'system' } = request;
    const own = trust === 'system' ? undefined : this.#trusting.route(trust);
    if (own && typeof trust === 'object' && trust.identity !== undefined) {
      return { ...own.tls, agent: own.agent };
    }
    const tls = url.protocol === 'https:' ? (own?.tls ?? (await this.#systemTls())) : {};
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
    return { ...tls, agent: own?.agent ?? this.#https };
  }

  async #proxyFor(url: URL, direct: boolean): Promise<HttpProxy | undefined> {
    const { proxy, noProxy = [] } = this.#network;
    if (proxy === undefined || direct || bypassesProxy(url.hostname, noProxy)) {
      return undefined;
    }
    const tls = proxy.startsWith('https:') ? await this.#systemTls() : {};
    const { proxyCredentialsFile: file } = this.#network;
    // Reads the login for each exchange, since the password may change while the settings do not.
    return { url: new URL(proxy), tls, ...(file !== undefined && (await readProxyLogin(file))) };
  }

  async #systemTls(): Promise<TlsOptions> {
    return { secureContext: await this.#trusted.context(), rejectUnauthorized: true };
  }
}
